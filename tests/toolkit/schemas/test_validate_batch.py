from medtheca.toolkit.schemas import DERMATOLOGY, validate_batch


def check(*rows):
    labelled = [(f"line {number}", row) for number, row in enumerate(rows, start=2)]
    return validate_batch(iter(labelled), pack=DERMATOLOGY)


def test_one_lesion_belongs_to_one_patient():
    (problem,) = check(
        {"lesion_id": "L1", "patient_id": "P1"},
        {"lesion_id": "L1", "patient_id": "P2"},
        {"lesion_id": "L1"},
        {"lesion_id": "L2", "patient_id": "P1"},
    )
    assert problem.code == "one_lesion_multiple_patients"
    assert problem.message == "Lesion 'L1' belongs to 2 patients: 'P1' (line 2), 'P2' (line 3)."
    assert problem.rows == ("line 2", "line 3")


def test_one_rcm_case_has_one_lesion_and_at_most_one_macroscopic_image():
    macroscopic = {"rcm_case_id": "R1", "image_type": "RCM: macroscopic"}
    problems = check(macroscopic | {"lesion_id": "L1"}, macroscopic | {"lesion_id": "L2"}, macroscopic)
    assert {problem.code: problem.rows for problem in problems} == {
        "rcm_multiple_macroscopics": ("line 2", "line 3", "line 4"),
        "one_rcm_case_multiple_lesions": ("line 2", "line 3"),
    }


def test_all_offenders_of_all_rules_are_reported():
    rows = [{"lesion_id": f"L{n // 2}", "patient_id": f"P{n}", "rcm_case_id": "R"} for n in range(20)]
    problems = check(*rows)
    assert [problem.code for problem in problems].count("one_lesion_multiple_patients") == 10
    (case,) = (problem for problem in problems if problem.code == "one_rcm_case_multiple_lesions")
    assert "belongs to 10 lesions" in case.message
    assert "and 5 more" in case.message
    assert len(case.rows) == 20


def test_rows_that_agree_pass():
    row = {"lesion_id": "L1", "patient_id": "P1", "rcm_case_id": "R1", "image_type": "RCM: tile"}
    assert check(row, row, row | {"image_type": "RCM: macroscopic"}, {}) == []
