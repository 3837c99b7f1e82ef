"""What is uploaded to an archive becomes items: put together, taken in as all images are, settled into sockets."""
