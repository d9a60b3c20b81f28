"""Ctrl-C and SIGTERM are a wish first, and an order the second time."""

import os
import signal
import threading

import pytest

from mxgan.training import signals


@pytest.mark.parametrize(("number", "order"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_first_signal_is_noted_and_the_second_one_obeyed(number, order):
    before = signal.getsignal(number)
    with signals.watch() as stop:
        assert stop.signal == 0
        os.kill(os.getpid(), number)
        assert stop.signal == number
        with pytest.raises(order, match="saved before is kept" if number == signal.SIGINT else "143"):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_the_handlers_come_back_after_an_error():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(RuntimeError), signals.watch():
        raise RuntimeError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_is_watched():
    seen = []

    def work():
        with signals.watch() as stop:
            seen.append((stop.signal, signal.getsignal(signal.SIGTERM)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, before)]
