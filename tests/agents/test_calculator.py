"""The calculator agrees with Python on arithmetic and does nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.agents.calculator import Calculator

calculate = Calculator().forward
numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000, allow_nan=False).map(lambda x: round(x, 3))
expressions = st.recursive(
    numbers.map(lambda n: f"({n})"),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
    max_leaves=6,
)


@given(expressions)
def test_it_agrees_with_python(expression: str) -> None:
    assert math.isclose(calculate(expression), eval(expression), rel_tol=1e-11, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-3 ** 2 + 2 ** 3 ** 2", 503),
        ("7 ** 222 % 1000", 49),
        ("10 / 4", 2.5),
        ("10 // 4", 2),
        ("sqrt(16) + abs(-2)", 6),
        ("max(1, 2, 3) - min(4, 5)", -1),
        ("round(2.567, 2)", 2.57),
        ("2 * pi", 6.28318530718),
    ],
)
def test_it_knows_operators_functions_and_constants(expression: str, value: float) -> None:
    assert calculate(expression) == value


def test_results_read_as_a_person_writes_them() -> None:
    assert repr(calculate("10 / 2")) == "5"
    assert repr(calculate("0.1 + 0.2")) == "0.3"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("1 / 0", "division by zero"),
        ("2 ^ 3", "write \\*\\* for a power"),
        ("2 +", "not an arithmetic expression"),
        ("", "not an arithmetic expression"),
        ("__import__('os')", "not arithmetic"),
        ("(1).real", "not arithmetic"),
        ("True + 1", "not arithmetic"),
        ("open(1)", "not one of abs"),
        ("1 << 2", "not one of"),
        ("max()", "cannot evaluate"),
        ("(-8) ** 0.5", "not real"),
        ("1e400", "not a finite number"),
        ("1" + "+1" * 300, "at most 500"),
    ],
)
def test_it_says_what_is_wrong(expression: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        calculate(expression)


@pytest.mark.parametrize(
    "bomb", ["9 ** 9 ** 9", "(9 ** 3000) ** 9", "round(5, -10 ** 8) + 9 ** 99999", "-" * 499 + "1", "(" * 400 + "1"]
)
def test_no_expression_takes_more_than_it_should(bomb: str) -> None:
    try:
        assert abs(calculate(bomb)) < 10**3010
    except ValueError as error:
        assert str(error)
