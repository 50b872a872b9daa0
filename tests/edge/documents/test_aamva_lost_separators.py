"""Bar codes that reached us without their control characters, as the tests of winfinit/aamvajs have them.

Layouts, spaces and headers are those of the cards there (Florida, Missouri, Texas, Connecticut); persons are specimens.
"""

from datetime import date

import pytest

from edge.documents.aamva import parse
from edge.documents.read import read as route
from edge.documents.verdict import Result

TODAY = date(2013, 1, 1)
FLORIDA = (
    "@ANSI 6360100102DL00390190ZF02290063DLDAADOE,JOHNDAG5929 N ROCK STDAIDELRAY SHOREDAJFLDAK44556-     "
    "DAQJ641720820450DARI   DAS          DAT     DBA20210108DBB19770204DBC1DBD20120612DBHN         DAU600"
    "ZFZFAREPLACED: 00000000ZFB ZFCP771206120090ZFD ZFE07-01-11"
)
MISSOURI = (
    "@ANSI 6360300102DL00390184ZM02230047DLDAQP039023005DAASAMPLE,ADAM,N,DAG200 MAIN ST #114DAIKANSAS CITYDAJMO"
    "DAK64105      DARF   DASB         DATM    DAU510DAW180DAYBRODBA20180126DBB19820126DBCMDBD20111229"
    "ZMZMAJACKSONZMB111163630009ZMCA         ZMD"
)
TEXAS = (
    "@ANSI 636015030002DL00410217ZT02580015DLDCACDCBNONEDCDNONEDBA08042015DCSDOEDCTJOHNDBD08192014DBB02081977DBC1"
    "DAYBLKDAU 65 INDAG5929 N ROCK STDAIAUSTINDAJTXDAK44556      DAQ38884194DCF18613490088119258857DCGUSADCHNONE"
    "DAZBLKDCUZTZTA130ZTBA"
)
CONNECTICUT = (
    "@AMVA 6360060101DL00290198DAAREGULARLPSAMPLE,SELECTCTID,A,3RDDAG60 STATE STDAIWETHERSFIELDDAJCTDAK061091896  "
    "DAQ119000555DARD   DASB         DAT     DBA20131107DBB19940101DBC1DBD20111115DAU601DAYBLUDBF00DBHY"
)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (FLORIDA, ("DOE", "JOHN", "5929 N ROCK ST", "44556-", "J641720820450", "1977-02-04", "2021-01-08")),
        (MISSOURI, ("SAMPLE", "ADAM", "200 MAIN ST #114", "64105", "P039023005", "1982-01-26", "2018-01-26")),
        (TEXAS, ("DOE", "JOHN", "5929 N ROCK ST", "44556", "38884194", "1977-02-08", "2015-08-04")),
        (
            CONNECTICUT,
            ("REGULARLPSAMPLE", "SELECTCTID", "60 STATE ST", "061091896", "119000555", "1994-01-01", "2013-11-07"),
        ),
    ],
)
def test_elements_padded_with_spaces_are_told_apart_by_their_ids(card, expected):
    document = parse(card, today=TODAY)

    assert (
        tuple(
            document.fields[name]
            for name in (
                "customer_family_name",
                "customer_first_name",
                "address_street_1",
                "address_postal_code",
                "customer_id_number",
                "date_of_birth",
                "document_expiration_date",
            )
        )
        == expected
    )
    [separators] = [verdict for verdict in document.verdicts if verdict.check == "separators"]
    assert separators.result is Result.DOUBTFUL


@pytest.mark.parametrize(
    ("card", "own"),
    [
        (FLORIDA, {"ZF": {"ZFA": "REPLACED: 00000000", "ZFC": "P771206120090", "ZFE": "07-01-11"}}),
        (MISSOURI, {"ZM": {"ZMA": "JACKSON", "ZMB": "111163630009", "ZMC": "A"}}),
        (TEXAS, {"ZT": {"ZTA": "130", "ZTB": "A"}}),
    ],
)
def test_a_jurisdictions_own_elements_follow_in_the_order_of_their_letters(card, own):
    assert parse(card, today=TODAY).fields["other_subfiles"] == own


def test_a_card_whose_file_type_lost_a_letter_is_routed_to_its_standard():
    assert route(CONNECTICUT, today=TODAY).kind == "AAMVA"


# Test data of c0shea/IdParser: "MA License Piped", "WY", "Leading Whitespace", "AB" and "ON License", cut short.
@pytest.mark.parametrize("prelude", ["@||ANSI ", "@acANSI ", " @\n6ANSI ", "@\n6AAMVA"])
def test_a_card_is_routed_to_its_standard_whatever_took_the_place_of_control_characters(prelude):
    card = prelude + "636002040002DL00410268ZM03090056DLDCAD\nDBA07072020\nDCSSMITH\nDACROBERT\nDAQS65807412\n"

    assert route(card, today=TODAY).fields["customer_family_name"] == "SMITH"


def test_a_damaged_designator_does_not_cost_the_first_element():
    document = parse("@\n\nANSI 990876030001DLabacDLDCSMOTORIST\nDCTMARY SMITH\nDAQ123400-056\n", today=TODAY)

    assert document.fields["customer_family_name"] == "MOTORIST"
    [entries] = [verdict for verdict in document.verdicts if verdict.check == "number_of_entries"]
    assert entries.result is Result.DOUBTFUL


def test_a_comma_behind_the_family_name_is_no_part_of_it():
    document = parse("@\n\nANSI 636012030001DL00000367DLDCAG\nDCSTESTER,   \nDCTMARY,ANN   \n", today=TODAY)

    assert document.fields["customer_family_name"] == "TESTER"


def test_an_identification_card_that_lost_the_type_of_its_subfile_is_no_licence():
    # TN of c0shea/IdParser, as other projects' suites shortened it
    card = "@\n\nANSI 636053060002ID00410228ZT02690036\nDAQ115775955\nDCSSMITH\nDACELIZABETH\nDBB12131961\n"

    assert parse(card, today=TODAY).fields["subfile_type"] == "ID"


@pytest.mark.parametrize(
    "elements", [("DAQX9988776", "DCSDOE", "DACJANE", "DBB07041990"), ("DAQ1", "DCSDOE", "DACJANE", "DAJTX")]
)
def test_the_elements_of_a_short_card_are_told_apart_by_their_ids_too(elements):
    document = parse("@ANSI 636000090002" + "".join(elements), today=TODAY)

    assert document.fields["customer_family_name"] == "DOE"
    assert document.fields["customer_first_name"] == "JANE"
    assert document.fields["customer_id_number"] == elements[0][3:]


def test_a_short_card_with_separators_keeps_ids_inside_its_values():
    document = parse("@ANSI 636000090001DL00310030DLDAQ1\nDCSDAQDACDCS\nDACJANE\r", today=TODAY)

    assert document.fields["customer_family_name"] == "DAQDACDCS"
