"""The data elements of AAMVA's standard for driving licences and identification cards, versions 1 to 11.

Owns element IDs, names, forms and which of them a version requires; no code that reads or writes. Names are the
standard's own words in snake case. Version 1 (2000) uses some IDs for other elements than the versions after it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What the text of an element stands for."""

    TEXT = "text"
    DATE = "date"
    SEX = "sex"


class Element(NamedTuple):
    """One data element: its ID, its name, what it may hold, and what it stands for."""

    id: str
    name: str
    form: re.Pattern[str]
    kind: Kind = Kind.TEXT


def _table(*rows: tuple[str, str, str]) -> dict[str, Element]:
    return {id: Element(id, name, re.compile(form)) for id, name, form in rows}


def _dates(*rows: tuple[str, str]) -> dict[str, Element]:
    return {id: Element(id, name, re.compile(r"[0-9]{8}"), Kind.DATE) for id, name in rows}


FIRST_VERSION, LAST_VERSION = 1, 11
_TEXT = r".*"
_INDICATOR = r"[01]"
_TRUNCATION = r"[TNU]"

# Version 2 (2003) and later.
ELEMENTS: dict[str, Element] = {
    **_table(
        ("DAQ", "customer_id_number", r".{1,25}"),
        ("DCS", "customer_family_name", r".{1,40}"),
        ("DCT", "customer_given_names", r".{1,80}"),
        ("DAC", "customer_first_name", r".{1,40}"),
        ("DAD", "customer_middle_names", r".{1,40}"),
        ("DCU", "name_suffix", r".{1,5}"),
        ("DDE", "family_name_truncation", _TRUNCATION),
        ("DDF", "first_name_truncation", _TRUNCATION),
        ("DDG", "middle_name_truncation", _TRUNCATION),
        ("DCA", "jurisdiction_specific_vehicle_class", r".{1,6}"),
        ("DCB", "jurisdiction_specific_restriction_codes", r".{1,12}"),
        ("DCD", "jurisdiction_specific_endorsement_codes", r".{1,5}"),
        ("DAY", "eye_color", r"[A-Z]{3}"),
        ("DAZ", "hair_color", r"[A-Z]{3}"),
        ("DAU", "height", r"[0-9]{2,3} ?(in|cm|IN|CM)"),  # 3 digits; Texas writes a space for the first
        ("DAG", "address_street_1", r".{1,35}"),
        ("DAH", "address_street_2", r".{1,35}"),
        ("DAI", "address_city", r".{1,20}"),
        ("DAJ", "address_jurisdiction_code", r"[A-Z]{2}"),
        ("DAK", "address_postal_code", r"[A-Z0-9 -]{5,11}"),
        ("DCF", "document_discriminator", r".{1,25}"),
        ("DCG", "country_identification", r"[A-Z]{3}"),
        ("DCH", "federal_commercial_vehicle_codes", r".{1,4}"),
        ("DCI", "place_of_birth", r".{1,33}"),
        ("DCJ", "audit_information", r".{1,25}"),
        ("DCK", "inventory_control_number", r".{1,25}"),
        ("DBN", "alias_family_name", _TEXT),
        ("DBG", "alias_given_name", _TEXT),
        ("DBS", "alias_suffix_name", _TEXT),
        ("DCE", "weight_range", r"[0-9]"),
        ("DAW", "weight_pounds", r"[0-9]{2,3}"),
        ("DAX", "weight_kilograms", r"[0-9]{2,3}"),
        ("DCL", "race_ethnicity", r"[A-Z]{1,3}"),
        ("DCM", "standard_vehicle_classification", r".{1,4}"),
        ("DCN", "standard_endorsement_code", r".{1,5}"),
        ("DCO", "standard_restriction_code", r".{1,12}"),
        ("DCP", "vehicle_classification_description", _TEXT),
        ("DCQ", "endorsement_code_description", _TEXT),
        ("DCR", "restriction_code_description", _TEXT),
        ("DDA", "compliance_type", r"[FMN]"),
        ("DDD", "limited_duration_document_indicator", _INDICATOR),
        ("DDK", "organ_donor_indicator", r"[01YN]"),
        ("DDL", "veteran_indicator", r"[01YN]"),
        ("DDM", "commercial_credential_indicator", _INDICATOR),
        ("DDN", "non_domiciled_indicator", _INDICATOR),
        ("DDO", "enhanced_credential_indicator", _INDICATOR),
        ("DDP", "permit_indicator", _INDICATOR),
    ),
    **_dates(
        ("DBB", "date_of_birth"),
        ("DBD", "document_issue_date"),
        ("DBA", "document_expiration_date"),
        ("DDB", "card_revision_date"),
        ("DDC", "hazmat_endorsement_expiration_date"),
        ("DDH", "under_18_until"),
        ("DDI", "under_19_until"),
        ("DDJ", "under_21_until"),
    ),
    "DBC": Element("DBC", "sex", re.compile(r"[129]"), Kind.SEX),
}

# Version 1 (2000): the same table, but for what that version has alone or has otherwise.
ELEMENTS_OF_VERSION_1: dict[str, Element] = {
    **ELEMENTS,
    **_table(
        ("DAA", "customer_name", r".{1,35}"),
        ("DAB", "customer_family_name", r".{1,35}"),
        ("DAE", "name_suffix", r".{1,5}"),
        ("DAF", "name_prefix", r".{1,5}"),
        ("DAL", "residence_street_1", r".{1,35}"),
        ("DAM", "residence_street_2", r".{1,35}"),
        ("DAN", "residence_city", r".{1,20}"),
        ("DAO", "residence_jurisdiction_code", r"[A-Z]{2}"),
        ("DAP", "residence_postal_code", r"[A-Z0-9 -]{5,11}"),
        ("DAR", "license_classification_code", r".{1,4}"),
        ("DAS", "license_restriction_code", r".{1,10}"),
        ("DAT", "license_endorsements_code", r".{1,5}"),
        ("DAU", "height", r"[0-9]{3}"),
        ("DAV", "height_centimetres", r"[0-9]{3}"),
        ("DAY", "eye_color", r"[A-Z]{2,3}"),
        ("DAZ", "hair_color", r"[A-Z]{2,3}"),
        ("DBF", "number_of_duplicates", r"[0-9]{1,2}"),
        ("DBG", "medical_indicator_codes", r".{1,5}"),
        ("DBH", "organ_donor_indicator", r"[01YN]"),
        ("DBI", "non_resident_indicator", r"[YN]"),
        ("DBJ", "unique_customer_identifier", _TEXT),
        ("DBK", "social_security_number", r"[0-9-]{9,11}"),
        ("DBN", "alias_name", _TEXT),
        ("DBO", "alias_family_name", _TEXT),
        ("DBP", "alias_first_name", _TEXT),
        ("DBQ", "alias_middle_names", _TEXT),
        ("DBR", "alias_suffix_name", _TEXT),
        ("DBS", "alias_prefix", _TEXT),
        ("PAA", "permit_classification_code", _TEXT),
        ("PAC", "permit_identifier", _TEXT),
        ("PAE", "permit_restriction_code", _TEXT),
        ("PAF", "permit_endorsement_code", _TEXT),
    ),
    **_dates(
        ("DBL", "alias_date_of_birth"),
        ("PAB", "permit_expiration_date"),
        ("PAD", "permit_issue_date"),
    ),
    "DBC": Element("DBC", "sex", re.compile(r"[129MF]"), Kind.SEX),
}

_ADDRESS = ("DAG", "DAI", "DAJ", "DAK")
_ALWAYS = ("DAQ", *_ADDRESS, "DBA", "DBB", "DBC")
_FROM_2 = (*_ALWAYS, "DCS", "DBD", "DAY", "DAU", "DCF", "DCG")
_LICENCE = ("DCA", "DCB", "DCD")


def elements_of(version: int) -> dict[str, Element]:
    """Return the elements of a version by their ID."""
    return ELEMENTS_OF_VERSION_1 if version <= 1 else ELEMENTS


def mandatory_elements(version: int, subfile_type: str) -> tuple[str, ...]:
    """Return the IDs that a card of this version must carry; names and licence classes differ by version and card."""
    licence = _LICENCE if subfile_type in ("DL", "EN") else ()
    if version <= 1:
        return _ALWAYS
    if version <= 3:
        return (*_FROM_2, "DCT", *licence)
    return (*_FROM_2, "DAC", "DAD", "DDE", "DDF", "DDG", *licence)


def could_be_element(id: str) -> bool:
    """Tell whether three characters have the form of an element ID: D, P or Z (a jurisdiction's own), and two more."""
    return len(id) == 3 and id.isascii() and id[0] in "DPZ" and id.isalnum() and id.isupper()
