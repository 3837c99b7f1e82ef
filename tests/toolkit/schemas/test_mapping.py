import pytest

from medtheca.toolkit.schemas import DERMATOLOGY, How, propose_mapping, rename_columns


def propose(*columns):
    return [(item.field, item.how) for item in propose_mapping(columns, pack=DERMATOLOGY)]


def test_every_field_and_level_is_itself():
    names = [*DERMATOLOGY.by_name, *DERMATOLOGY.level_columns, "filename"]
    assert propose(*names) == [(name, How.EXACT) for name in names]


def test_columns_of_published_spreadsheets():
    assert propose("image_id", "age_approximate", "sex", "melanoma") == [
        ("filename", How.SYNONYM),
        ("age", How.SYNONYM),
        ("sex", How.EXACT),
        (None, How.UNSTRUCTURED),
    ]


def test_spelling_of_the_header_does_not_count():
    assert propose("Image Type", "SEX", "Anatomic-Site") == [
        ("image_type", How.SYNONYM),
        ("sex", How.SYNONYM),
        ("anatom_site", How.SYNONYM),
    ]


def test_a_slip_is_a_question():
    (proposal,) = propose_mapping(["melanocitic"], pack=DERMATOLOGY)
    assert (proposal.field, proposal.how) == ("melanocytic", How.DID_YOU_MEAN)
    assert proposal.remark == "Did you mean 'melanocytic'?"


@pytest.mark.parametrize("column", list(DERMATOLOGY.former_columns))
def test_fields_of_older_schemas_are_kept_and_explained(column):
    (proposal,) = propose_mapping([column], pack=DERMATOLOGY)
    assert (proposal.field, proposal.how) == (None, How.UNSTRUCTURED)
    assert "earlier versions" in proposal.remark


def test_the_surer_of_two_columns_gets_the_field():
    proposals = propose_mapping(["gender", "sex", "age_approx", "agee"], pack=DERMATOLOGY)
    assert [item.field for item in proposals] == [None, "sex", "age", None]
    assert proposals[0].remark == "'sex' is taken from 'sex' already."


def test_two_columns_cannot_become_one():
    with pytest.raises(ValueError, match="Two columns are mapped to 'sex'"):
        rename_columns({"gender": "male", "sex": "female"}, {"gender": "sex"})
