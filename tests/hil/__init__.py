"""Hardware in the loop without a Raspberry Pi: `make hil`.

A virtual machine with a real GPIO chip, a real USB serial port that is really unplugged, a real uinput keyboard, real
systemd and a real watchdog runs the kiosk, unmodified. It takes minutes, so `make test` leaves it out.
"""
