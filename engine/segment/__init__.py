"""Finding the instances of a concept on a photo: the port and what stands behind it."""
