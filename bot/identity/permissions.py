"""The delegated Graph permissions that Herald asks for, grouped by what a person wants to do.

Each group is asked for when it is needed, not before. Source: the Microsoft Graph permissions
reference, columns "Delegated" and "AdminConsentRequired".
"""

NOTIFY = ("TeamsActivity.Send", "TeamsAppInstallation.ReadForUser", "User.ReadBasic.All")
TEXT = ("VirtualAppointmentNotification.Send",)
MEETINGS = ("OnlineMeetings.Read", "Calendars.Read")

# The ones that only an administrator may grant: a person's own consent page is a dead end for them.
ADMIN_ONLY = frozenset({"VirtualAppointmentNotification.Send"})

# What every sign-in asks for besides: who it is, and a refresh token.
SIGN_IN = ("openid", "profile", "offline_access")
