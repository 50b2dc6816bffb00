"""The contract's assertions are explained like those of any test module."""

import pytest

pytest.register_assert_rewrite(f"{__package__}.contract" if __package__ else "contract")
