"""Clients in Python: over HTTP (here), and through Ray for programs on the cluster (`s3palette.client.ray`)."""

from s3palette.client.http import Client, Download, Job, JobItem, Me, NewJob, PaletteApiError, SignIn, Upload

__all__ = ["Client", "Download", "Job", "JobItem", "Me", "NewJob", "PaletteApiError", "SignIn", "Upload"]
