"""The calculator tool: arithmetic on a text such as "3 * (2 + 5) ** 2", without `eval`."""

from __future__ import annotations

from typing import Any, Final

import smolagents


class Calculator(smolagents.Tool):
    """Operators + - * / // % ** and parentheses; functions abs ceil cos exp floor log log10 max min round sin sqrt tan;
    constants pi and e. At most 500 characters, numbers of at most 10,000 bits (about 3,000 digits).

    The methods import what they need and use nothing else of this module, because smolagents sends a tool's source to
    the containers where it runs code agents.
    """

    name = "calculator"
    description = (
        "Evaluates an arithmetic expression and returns the number. Operators + - * / // % ** and parentheses; "
        "functions abs ceil cos exp floor log log10 max min round sin sqrt tan; constants pi and e."
    )
    inputs: Final = {"expression": {"type": "string", "description": "The expression, for example '3 * (2 + 5) ** 2'."}}
    output_type = "number"

    def forward(self, expression: str) -> float:
        """The value; a float is rounded to 12 significant digits, and a whole one becomes an integer.

        Raises ValueError, which says what is wrong, for anything that is not arithmetic or too large.
        """
        import ast

        if len(expression) > 500:
            raise ValueError(f"the expression has {len(expression)} characters; at most 500 are allowed")
        try:
            value = self._value(ast.parse(expression.strip(), mode="eval").body)
        except ZeroDivisionError:
            raise ValueError(f"division by zero in {expression!r}") from None
        except SyntaxError:
            raise ValueError(
                f"{expression!r} is not an arithmetic expression; write it like 3 * (2 + 5) ** 2"
            ) from None
        except (OverflowError, RecursionError, MemoryError):
            raise ValueError("the expression is too deep, or its result too large") from None
        except TypeError as error:
            raise ValueError(f"cannot evaluate {expression!r}: {error}") from None
        if isinstance(value, int):
            return value
        # 0.1 + 0.2 reads 0.3 and 10 / 2 reads 5: what a person would call the result.
        rounded = float(f"{value:.12g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded

    def _value(self, node: Any) -> Any:
        import ast
        import math

        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return self._bounded(node.value)
        if isinstance(node, ast.Name) and node.id in ("pi", "e"):
            return getattr(math, node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
            value = self._value(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            return self._bounded(self._combined(node.op, self._value(node.left), self._value(node.right)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._bounded(self._function(node.func.id, [self._value(each) for each in node.args]))
        raise ValueError(
            f"{ast.unparse(node)!r} is not arithmetic: use numbers, + - * / // % ** and functions like sqrt"
        )

    def _combined(self, op: Any, left: Any, right: Any) -> Any:
        import ast
        import operator

        if isinstance(op, ast.Pow):
            return self._power(left, right)
        if isinstance(op, ast.BitXor):
            raise ValueError("'^' is not an operator here; write ** for a power")
        functions: dict[Any, Any] = {
            ast.Add: operator.add,
            ast.Sub: operator.sub,
            ast.Mult: operator.mul,
            ast.Div: operator.truediv,
            ast.FloorDiv: operator.floordiv,
            ast.Mod: operator.mod,
        }
        if type(op) not in functions:
            raise ValueError(f"{type(op).__name__} is not one of + - * / // % **")
        return functions[type(op)](left, right)

    def _power(self, base: Any, exponent: Any) -> Any:
        if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > 10_000:
            raise ValueError(f"{exponent} is too large an exponent")
        result = base**exponent
        if isinstance(result, complex):
            raise ValueError("a fractional power of a negative number is not real")
        return result

    def _function(self, name: str, values: list[Any]) -> Any:
        import math

        plain: dict[str, Any] = {"abs": abs, "max": max, "min": min}
        if name in plain:
            return plain[name](*values)
        if name == "round":
            # A large negative number of digits would compute that power of ten.
            return round(values[0], *[max(-20, min(20, digits)) for digits in values[1:]])
        if name in ("ceil", "cos", "exp", "floor", "log", "log10", "sin", "sqrt", "tan"):
            return getattr(math, name)(*values)
        raise ValueError(f"{name!r} is not one of abs ceil cos exp floor log log10 max min round sin sqrt tan")

    def _bounded(self, number: Any) -> Any:
        import math

        if isinstance(number, int) and number.bit_length() > 10_000:
            raise ValueError("the result is too large")
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError("the result is not a finite number")
        return number
