"""What the centre may ask of a kiosk: admitted once, carried out, answered; and settings tried from afar.

A command never deletes a record, never touches a key, never tells of a traveller; what it may do stands in one place.
"""
