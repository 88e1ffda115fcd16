"""The lives of a webhook endpoint and of a delivery to it. `docs/states` is drawn from these tables."""

from __future__ import annotations

from enum import StrEnum


class EndpointState(StrEnum):
    """Whether an endpoint is sent to."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class DeliveryState(StrEnum):
    """Where the sending of one event to one endpoint stands."""

    QUEUED = "queued"
    SENDING = "sending"
    FAILED = "failed"
    DELIVERED = "delivered"
    PARKED = "parked"
    CANCELLED = "cancelled"


# disable: the receiver answered 410, it is not there any more.
ENDPOINT = {
    (EndpointState.ACTIVE, "disable"): EndpointState.DISABLED,
    (EndpointState.ACTIVE, "delete"): EndpointState.DELETED,
    (EndpointState.DISABLED, "delete"): EndpointState.DELETED,
}
# send: also again, when whoever was sending has not been heard of; retry: asked for by hand or by a replay.
DELIVERY = {
    (DeliveryState.QUEUED, "send"): DeliveryState.SENDING,
    (DeliveryState.FAILED, "send"): DeliveryState.SENDING,
    (DeliveryState.SENDING, "send"): DeliveryState.SENDING,
    (DeliveryState.SENDING, "deliver"): DeliveryState.DELIVERED,
    (DeliveryState.SENDING, "fail"): DeliveryState.FAILED,
    (DeliveryState.SENDING, "park"): DeliveryState.PARKED,
    (DeliveryState.QUEUED, "park"): DeliveryState.PARKED,
    (DeliveryState.FAILED, "park"): DeliveryState.PARKED,
    (DeliveryState.QUEUED, "cancel"): DeliveryState.CANCELLED,
    (DeliveryState.FAILED, "cancel"): DeliveryState.CANCELLED,
    (DeliveryState.SENDING, "cancel"): DeliveryState.CANCELLED,
    (DeliveryState.PARKED, "cancel"): DeliveryState.CANCELLED,
    (DeliveryState.QUEUED, "retry"): DeliveryState.QUEUED,
    (DeliveryState.FAILED, "retry"): DeliveryState.QUEUED,
    (DeliveryState.PARKED, "retry"): DeliveryState.QUEUED,
    (DeliveryState.DELIVERED, "retry"): DeliveryState.QUEUED,
    (DeliveryState.CANCELLED, "retry"): DeliveryState.QUEUED,
}
