"""The life of a notice. `docs/states` is drawn from this table."""

from __future__ import annotations

from enum import StrEnum


class NoticeState(StrEnum):
    """Where a notice stands. `sent` means that a channel took it; only some channels tell that it arrived."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"


_S = NoticeState

# `wait` is a channel's passing trouble or a sender that died; `pass-on` goes to the next channel at once. A report of
# delivery may overtake our own note of the sending, and may come after we gave up on the channel.
NOTICE: dict[tuple[NoticeState, str], NoticeState] = {
    (_S.QUEUED, "lease"): _S.SENDING,
    (_S.QUEUED, "supersede"): _S.SUPERSEDED,
    (_S.QUEUED, "fail"): _S.FAILED,
    (_S.SENDING, "send"): _S.SENT,
    (_S.SENDING, "wait"): _S.QUEUED,
    (_S.SENDING, "pass-on"): _S.QUEUED,
    (_S.SENDING, "fail"): _S.FAILED,
    (_S.SENT, "pass-on"): _S.QUEUED,
    (_S.SENT, "deliver"): _S.DELIVERED,
    (_S.SENDING, "deliver"): _S.DELIVERED,
    (_S.QUEUED, "deliver"): _S.DELIVERED,
    (_S.FAILED, "deliver"): _S.DELIVERED,
    (_S.SENT, "resend"): _S.QUEUED,
    (_S.DELIVERED, "resend"): _S.QUEUED,
    (_S.FAILED, "resend"): _S.QUEUED,
}
