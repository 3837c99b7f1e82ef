"""What the API sends and takes, by subject. Names and order are the ISIC Archive's where it has the thing."""
