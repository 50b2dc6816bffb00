from actors.signup_window import SignupWindow


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counts_an_address_in_any_sixty_seconds() -> None:
    clock = Clock()
    window = SignupWindow(2, clock)
    assert window.take("a") == 0
    clock.now += 30
    assert window.take("a") == 0
    assert window.take("b") == 0
    assert window.take("a") == 31
    clock.now += 31
    assert window.take("a") == 0
    assert window.take("a") == 30


def test_zero_is_off() -> None:
    window = SignupWindow(0)
    assert all(window.take("a") == 0 for _ in range(1000))
