"""Documents in a camera's picture: the fallback of a lane that has no OCR reader.

Needs OpenCV, so it runs in a process of its own (`hw.sight_child`) and never in the daemon. What is not sure is said to
be not sure: a character that was hardly read is flagged, so that no verdict on the document is better than the picture.
"""
