"""The routes of the API, a file for each subject. A route reads the request, makes one call and shapes the answer."""
