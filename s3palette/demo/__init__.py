"""The demo: a whole system, two albums through it, and pictures of what came out."""

from s3palette.demo.albums import ALBUMS, Album
from s3palette.demo.run import DemoFailed, run_demo
from s3palette.demo.server import demo_system

__all__ = ["ALBUMS", "Album", "DemoFailed", "demo_system", "run_demo"]
