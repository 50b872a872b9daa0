"""Who is who: certificates, requests for them, and documents that the centre signs for whom it does not know yet.

Kiosk, centre and technician need the same few things here, so they stand in one place: `certificates` (X.509),
`signed` (documents under a certificate), `enrolment` (what is asked and answered), `key_files` (how they get on disk).
"""
