"""What passes between a system and an engine outside its cluster: signed messages, and the photos in them."""

from s3palette.external.message import JobMessage, MessageRefused, PhotoItem, Place, job_message
from s3palette.external.signature import Forged, sign, verify

__all__ = ["Forged", "JobMessage", "MessageRefused", "PhotoItem", "Place", "job_message", "sign", "verify"]
