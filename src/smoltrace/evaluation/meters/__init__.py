"""What a run is to know of its energy, and the meters that read it while it goes on."""
