"""The checkup of `smoltrace doctor`: what a run needs, tried out on this machine, each thing on its own."""
