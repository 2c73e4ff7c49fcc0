"""What a continuous evaluation says: each figure of the recordings it names."""

from training.ctc_report import CtcReport
from training.metrics import ErrorRate
from training.streaming_cost import Cost


def rate(errors: int) -> ErrorRate:
    return ErrorRate(errors, 100, 10, 9)


def test_the_card_has_the_whole_and_the_windows_of_the_same_recordings() -> None:
    costs = (Cost(rate(5), rate(6), 1, (), 0.7), Cost(rate(7), rate(8), 1, (), 0.7))
    report = CtcReport("WER", (rate(4), rate(6)), costs, (("hello", "takes read right", 0.9),), 1, (0.9, 1.0))
    text = report.text()
    assert "sentences read whole | 4.0, 6.0 % (mean 5.00 %) |" in text
    assert "without fold 1, by which the settings were chosen | mean 4.00 % |" in text
    assert "behind the windower, read whole | 5.0, 7.0 % (mean 6.00 %) |" in text
    assert "in windows (as streams) | 6.0, 8.0 % (mean 7.00 %) |" in text
    assert "| 200, 18 of 20 |" in text
    assert "read rightly, one by one | 90.0, 100.0 % (mean 95.00 %) |" in text
    assert report.metrics() == {
        "wer_held_out_mean": 0.05,
        "wer_held_out_worst": 0.06,
        "wer_unchosen_mean": 0.04,
        "wer_streamed_mean": 0.07,
        "top1_single_held_out_mean": 0.95,
        "hello": 0.9,
    }
