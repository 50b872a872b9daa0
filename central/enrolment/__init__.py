"""How a kiosk becomes known to the centre, stays known, and stops being so.

One-time codes (`codes`), what was issued and revoked (`register`), the decision about a request (`desk`), the same over
HTTPS (`server`), and the words on the command line (`cli`).
"""
