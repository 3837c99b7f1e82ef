"""Terms of DICOM for what an image shows and how it was made: modalities, parts of the body, stains, sides.

Tables and look-ups without any library, so that whoever only names a code needs no reader. Meanings are looked up here
and never copied from a file: free text may hold anything.
"""

import re
from collections.abc import Iterable

from medtheca.toolkit.images.facts import Code

# PS3.16 CID 33, and CID 29 of acquisition in it, with their meanings.
_CID_33 = """
ANN Annotation|AR Autorefraction|ASMT Content Assessment Result|AU Basic Voice Audio|BDUS Ultrasound Bone Densitometry
BI Biomagnetic Imaging|BMD Bone Mineral Densitometry|CFM Confocal Microscopy|CR Computed Radiography
CT Computed Tomography|CTPROTOCOL CT Protocol|DG Diaphanography|DMS Dermoscopy|DOC Document|DX Digital Radiography
ECG Electrocardiography|EEG Electroencephalography|EMG Electromyography|EOG Electrooculography
EPS Cardiac Electrophysiology|ES Endoscopy|FID Spatial Fiducials|GM General Microscopy|HC Hard Copy
HD Hemodynamic Waveform|IO Intra-oral Radiography|IOL Intraocular Lens Calculation
IVOCT Intravascular Optical Coherence Tomography|IVUS Intravascular Ultrasound|KER Keratometry|KO Key Object Selection
LEN Lensometry|LS Laser Scan|M3D Model for 3D Manufacturing|MG Mammography|MR Magnetic Resonance|NM Nuclear Medicine
OAM Ophthalmic Axial Measurements|OCT Optical Coherence Tomography|OP Ophthalmic Photography|OPM Ophthalmic Mapping
OPT Ophthalmic Tomography|OPTBSV Ophthalmic Tomography B-scan Volume Analysis|OPTENF Ophthalmic Tomography En Face
OPV Ophthalmic Visual Field|OSS Optical Surface Scanner|OT Other|PA Photoacoustic|PLAN Plan|POS Position Sensor
PR Presentation State|PT Positron emission tomography|PX Panoramic X-Ray|REG Registration|RESP Respiratory Waveform
RF Radiofluoroscopy|RG Radiographic imaging|RTDOSE RT Dose|RTIMAGE RT Image|RTPLAN RT Plan
RTRECORD RT Treatment Record|RTSTRUCT RT Structure Set|RWV Real World Value Map|SC Secondary Capture|SEG Segmentation
SM Slide Microscopy|SMR Stereometric Relationship|SR Structured Report Document|SRF Subjective Refraction
STAIN Automated Slide Stainer|TEXTUREMAP Texture Map|TG Thermography|US Ultrasound|VA Visual Acuity
XA X-Ray Angiography|XC External-camera Photography
"""

# PS3.16 table L-1: Body Part Examined and its SNOMED CT code of CID 4.
_BODY_PARTS = """
ABDOMEN 818981001 Abdomen|ABDOMENPELVIS 818982008 Abdomen and Pelvis|ADRENAL 23451007 Adrenal gland
ANKLE 70258002 Ankle joint|ANUS 53505006 Anus|AORTA 15825003 Aorta|ARM 40983000 Upper arm|UPPERARM 40983000 Upper arm
AXILLA 91470000 Axilla|BACK 77568009 Back|BILEDUCT 28273000 Bile duct|BLADDER 89837001 Bladder|BRAIN 12738006 Brain
BREAST 76752008 Breast|BRONCHUS 955009 Bronchus|BUTTOCK 46862004 Buttock|CALCANEUS 80144004 Calcaneus
CAROTID 69105007 Carotid Artery|CEREBELLUM 113305005 Cerebellum|CERVIX 71252005 Cervix|CHEEK 60819002 Cheek
CHEST 816094009 Thorax|THORAX 816094009 Thorax|CHESTABDOMEN 416550000 Chest and Abdomen
CHESTABDPELVIS 416775004 Chest, Abdomen and Pelvis|CIRCLEOFWILLIS 11279006 Circle of Willis
CLAVICLE 51299004 Clavicle|COCCYX 64688005 Coccyx|COLON 71854001 Colon|CORNEA 28726007 Cornea
CORONARYARTERY 41801008 Coronary artery|CSPINE 122494005 Cervical spine|CERVICALSPINE 122494005 Cervical spine
CTSPINE 1217257000 Cervico-thoracic spine|DUODENUM 38848004 Duodenum|EAR 117590005 Ear|ELBOW 16953009 Elbow joint
WHOLEBODY 38266002 Entire body|ESOPHAGUS 32849002 Esophagus|EXTREMITY 66019005 Extremity|EYE 81745001 Eye
EYELID 80243003 Eyelid|FACE 89545001 Face|FEMUR 71341001 Femur|FIBULA 87342007 Fibula|FINGER 7569003 Finger
FOOT 56459004 Foot|FOREARM 14975008 Forearm|GALLBLADDER 28231008 Gallbladder|HAND 85562004 Hand|HEAD 69536005 Head
HEADNECK 774007 Head and Neck|HEART 80891009 Heart|HIP 24136001 Hip joint|HUMERUS 85050009 Humerus
IAC 361078006 Internal Auditory Canal|ILEUM 34516001 Ileum|ILIUM 22356005 Ilium|JAW 661005 Jaw region
JEJUNUM 21306003 Jejunum|KIDNEY 64033007 Kidney|KNEE 72696002 Knee|LARYNX 4596009 Larynx|LEG 30021000 Lower leg
LOWERLEG 30021000 Lower leg|LIVER 10200004 Liver|LOWERLIMB 61685007 Lower limb|LSPINE 122496007 Lumbar spine
LUMBARSPINE 122496007 Lumbar spine|LSSPINE 1217253001 Lumbo-sacral spine|LUNG 39607008 Lung|MANDIBLE 91609006 Mandible
MAXILLA 70925003 Maxilla|MEDIASTINUM 72410000 Mediastinum|MOUTH 123851003 Mouth|NECK 45048000 Neck
NECKCHEST 417437006 Neck and Chest|NECKCHESTABDOMEN 416152001 Neck, Chest and Abdomen
NECKCHESTABDPELV 416319003 Neck, Chest, Abdomen and Pelvis|NOSE 45206002 Nose|ORBIT 363654007 Orbital structure
OVARY 15497006 Ovary|PANCREAS 15776009 Pancreas|PAROTID 45289007 Parotid gland|PATELLA 64234005 Patella
PELVIS 816092008 Pelvis|PELVISLOWEXTREMT 1231522001 Pelvis and lower extremities|PENIS 18911002 Penis
PERINEUM 38864007 Perineum|PHANTOM 706342009 Phantom|PHARYNX 54066008 Pharynx|PROSTATE 41216001 Prostate
RECTUM 34402009 Rectum|RETROPERITONEUM 82849001 Retroperitoneum|RIB 113197003 Rib|SACRUM 54735007 Sacrum
SSPINE 54735007 Sacrum|SCALP 41695006 Scalp|SCAPULA 79601000 Scapula|SCLERA 18619003 Sclera|SCROTUM 20233005 Scrotum
SHOULDER 16982005 Shoulder|SIJOINT 39723000 Sacroiliac joint|SINUS 2095001 Paranasal sinus|SKULL 89546000 Skull
SPINALCORD 2748008 Spinal cord|SPINE 421060004 Spine|SPLEEN 78961009 Spleen|STERNUM 56873002 Sternum
STOMACH 69695003 Stomach|SUBMANDIBULAR 54019009 Submandibular gland|TESTIS 40689003 Testis|THIGH 68367000 Thigh
THUMB 76505004 Thumb|THYMUS 9875009 Thymus|THYROID 69748006 Thyroid|TLSPINE 1217256009 Thoraco-lumbar spine
TMJ 53620006 Temporomandibular joint|TOE 29707007 Toe|TONGUE 21974007 Tongue|TRACHEA 44567001 Trachea
TSPINE 122495006 Thoracic spine|THORACICSPINE 122495006 Thoracic spine|UPPERLIMB 53120007 Upper limb
URETER 87953007 Ureter|URETHRA 13648007 Urethra|UTERUS 35039007 Uterus|VAGINA 76784001 Vagina|VULVA 45292006 Vulva
WRIST 74670003 Wrist joint|ZYGOMA 13881006 Zygoma
"""

# PS3.16 CID 8112: stains of specimens, in SNOMED CT.
_CID_8112 = """
255792001 acid phosphatase stain|29252006 acridine orange stain|17693003 acriflavine stain|255793006 Albert's stain
4656000 alcian blue 8GX stain|47995002 alcohol soluble nigrosine stain|406981005 aldehyde fuchsin stain
54432009 alizarin blue S stain|21951008 alizarin cyanine green stain|65580004 alizarin red S stain
27016007 alizarin yellow GG stain|28622002 alizarin yellow R stain|76925007 alkali blue 5B (4B) stain
63929007 alkali blue 6B stain|406971006 alkaline phosphatase stain|406990003 aniline blue stain
84656005 atebrin FS stain|73251007 auramine G stain|81397005 auramine O stain|255794000 auramine stain
85066006 azo black stain|76048000 azocarmine G (GX) stain|35609001 azophloxin stain|2159007 azorubin S stain
16836001 azure A stain|8926000 azure B stain|11069001 azure C stain|406982003 bauer's chromic acid leucofuchsin stain
27844007 benzo fast scarlet stain|255795004 beta-glucuronidase stain|76605005 biebrich scarlet stain
44488008 bismark brown R stain|85190005 bismark brown Y stain|1346008 blue shade eosin stain|41750006 brazilin stain
8342001 brilliant cresyl blue stain|86541009 brilliant crocein stain|8429000 brilliant orange stain
57753006 brilliant yellow stain|406955006 butyrate esterase stain|764166003 carbol fuchsin stain
73892005 carmine stain|432003 carminic acid stain|37575004 carmoisine A stain|38707008 celestine blue B stain
255796003 chloroacetate esterase stain|34128002 chrome azurol S stain|406986000 chromic acid stain
85981002 chromotrope 2R stain|10247008 chrysoidine R stain|16943008 chrysoidine Y stain|406952009 colloidal iron stain
45106005 Congo red stain|49687009 coriphosphine stain|406960005 cresyl echt violet stain|406959000 cresyl violet stain
68459007 crystal ponceau stain|89028002 curcumin stain|72572003 diamond black stain|17172002 dibromofluorescein stain
11780008 durazol red stain|40076005 erie garnet stain|58631000 eriochrome blue black SE stain
7434003 erythrosin B stain|5043000 erythrosin Y stain|65445001 ethyl violet stain|22931006 Evans blue stain
34700000 fast blue B salt stain|91295002 fast blue BB salt stain|64112001 fast blue RR salt stain
89148006 fast garnet GBC salt stain|24167004 fast green FCF stain|40718007 fast red B salt stain
47486002 fast red ITR stain|76633005 fast red TR salt stain|88660000 fast sulfon black F stain
72371006 fast violet B salt stain|76439002 fat red 7B stain|255797007 Feulgen reaction stain|255798002 field's stain
255799005 Flagellar stain|25351006 Fluorescein sodium stain|85596006 fluorescein stain|35352008 fluorescent stain
108880002 fluorexon stain|406980006 fouchet stain|60920007 fuchsin acid stain|50062004 fuchsin basic stain
8836009 gallocyanine stain|373646006 giemsa stain|385484003 gram stain|406983008 hansel stain|75956008 hematein stain
12710003 hematoxylin stain|255800009 immunofluorescent stain|406972004 India ink stain|412548006 indigo carmine
11727009 indophenol from naphthol stain|47030008 insoluble berlin blue stain|68263003 janus green B stain
255801008 Jenner-Giemsa stain|29342009 kenacid blue R stain|35724001 lacmoid stain|255802001 Leishman stain
89139001 light green SF stain|6701008 lissamine fast red B stain|25079009 lissamine fast yellow stain
38543004 lissamine green B stain|111102009 lissamine rhodamine stain|406958008 luxol fast blue stain
27120008 malachite green stain|406953004 Mallory bleach stain|46139004 martius yellow stain
255803006 may-Grunwald giemsa stain|24516006 meldola blue stain|54791001 metanil yellow stain
9010006 methyl blue stain|255804000 methyl green pyronin stain|22021002 methyl green stain
42248000 methyl orange stain|13744001 methyl red stain|15896008 methyl violet 2B stain|14544006 methyl violet 6B stain
387239001 methyl violet stain|6725000 methylene blue stain|406961009 methylene violet stain
31260003 methylene violet stain (Bernthsen)|406991004 modified trichrome stain|406964001 mucicarmine stain
255805004 myeloperoxidase stain|16788000 naphthalene black 12B stain|14958002 naphthol green B stain
111101002 naphthol yellow S stain|406973009 naphthol-AS-D-chloracetate esterase stain|67956008 neutral red stain
255806003 neutrophil alkaline phosphatase stain|31714001 new fuchsin stain|406965000 night blue stain
77073008 nile blue stain|86750008 nitrazine yellow stain|255807007 nonspecific esterase stain
78869007 nuclear fast red stain|40808006 oil red O stain|54221006 orange G stain|25941002 orange II stain
406966004 orcein stain|5442001 page blue 83 stain|2088005 page blue G-90 stain
48540004 patent blue V sodium salt stain|255808002 periodic acid Schiff stain|410457007 permethrin
406974003 peroxidase stain|71957009 phloxin B stain|406967008 phosphotungstic acid-hematoxylin stain
65730007 ponceau 3R stain|89856006 ponceau S stain|70520000 ponceau xylidine stain
89577003 pontamine sky blue 5BX stain|80305003 pontamine sky blue 6BX stain|34763001 potassium hydroxide stain
24900003 procion brilliant blue MRS stain|406993001 protargol S stain|406452004 Prussian blue stain
76001002 pyronine B stain|43106008 pyronine G stain|406968003 quinacrine fluorescent stain|27671009 rhodamine B stain
406977005 rhodamine stain|255810000 Romanowsky stain|408742009 rose bengal stain
15529003 rosolic acid sodium salt stain|38271009 saffron stain|406988004 safranin stain|406985001 silver nitrate stain
406951002 silver stain|51567006 sirius red F3B stain|43549000 solochrome azurine (BS) stain
11201005 solochrome black 6B stain|25091000 solochrome cyanine R stain|38902009 solochrome dark blue stain
64991008 soluble berlin blue stain|11645004 spirit soluble aniline blue stain|83600004 spirit soluble eosin stain
255811001 spore stain|36572009 Sudan black B stain|310805002 Sudan black stain|10740006 Sudan blue stain
12030009 Sudan II stain|39777001 Sudan III stain|69133007 Sudan IV stain|314900004 Sudan stain
22968009 sunset yellow FCF stain|21592006 tartrazine stain|406975002 terminal deoxynucleotidyl transferase stain
406995008 thioflavine S stain|61068006 thioflavine T stain|12001002 thionine stain|84217005 titan yellow stain
29522004 toluidine blue stain|406989007 trichrome stain|35094004 tropaeolin O stain|53511009 tropaeolin OO stain
60441008 trypan blue stain|406957003 Van Gieson stain|406992006 verhoeff's hematoxylin stain
82682000 victoria blue 4R stain|22749001 victoria blue B stain|20230008 vital new red stain
88625006 water soluble aniline blue stain|58755002 water soluble anthracene brown stain
36879007 water soluble eosin stain|12119009 water soluble nigrosine stain|60739006 waxoline blue stain
409549005 wayson stain|373682001 wright stain|55831004 xylene cyanol FF stain|255813003 Ziehl-Neelsen stain
"""

SIDES = {"R": "right", "L": "left", "B": "both", "U": "unpaired"}
"""What Image Laterality may say."""


def _rows(text: str) -> Iterable[tuple[str, str]]:
    return (
        (row.split(" ", 1)[0], row.split(" ", 1)[1]) for line in text.strip().splitlines() for row in line.split("|")
    )


def _letters(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _body_part(rest: str) -> Code:
    value, meaning = rest.split(" ", 1)
    return Code(value, "SCT", meaning)


MODALITIES = dict(_rows(_CID_33))
"""Meanings of modalities by their codes."""
BODY_PARTS = {term: _body_part(rest) for term, rest in _rows(_BODY_PARTS)}
"""SNOMED CT codes by the terms of Body Part Examined, several of which may mean the same."""
STAINS = {code: Code(code, "SCT", meaning) for code, meaning in _rows(_CID_8112)}
"""Stains by their SNOMED CT codes."""
_PARTS_BY_NAME = {
    name: code for term, code in BODY_PARTS.items() for name in (term, code.value, _letters(code.meaning))
}
_STAINS_BY_NAME = {name: code for code in STAINS.values() for name in (code.value, _letters(code.meaning))}


def find_body_part(*texts: str | None) -> Code | None:
    """The part of the body that the first known of these means: a SNOMED CT code, a term of DICOM or a meaning.

    >>> find_body_part(None, "L-Spine").value, find_body_part("12738006").meaning, find_body_part("Erika")
    ('122496007', 'Brain', None)
    """
    return _find(_PARTS_BY_NAME, texts)


def find_stain(*texts: str | None) -> Code | None:
    """The stain that the first known of these means: a SNOMED CT code or a meaning.

    >>> find_stain("C-22968", "Hematoxylin stain").value
    '12710003'
    """
    return _find(_STAINS_BY_NAME, texts)


def _find(names: dict[str, Code], texts: Iterable[str | None]) -> Code | None:
    return next((found for text in texts if text and (found := names.get(_letters(text)))), None)


_USUAL_WORDS = """
ABDOMEN ANGIO BONE BRAIN CHEST DEFAULT HARD HARDER HEAD LIVER LUNG MEDIASTINUM NECK NORMAL OTHER PELVIS SOFT SOFTER
SPINE STROKE SUBDURAL TISSUE USER
"""
_WINDOWS = frozenset(_USUAL_WORDS.split())
_NUMBERED_WINDOW = re.compile(r"(WINDOW|ALGO) ?\d{1,2}")


def name_window(text: str) -> str:
    """What a window is called, where its words are among the usual ones; else nothing, as anything may stand there.

    >>> name_window("Soft tissue"), name_window("WINDOW1"), name_window("For Mrs. Miller")
    ('Soft tissue', 'WINDOW1', '')
    """
    plain = text.strip().upper()
    usual = bool(plain) and set(re.split(r"[ _-]+", plain)) <= _WINDOWS
    return text.strip() if usual or _NUMBERED_WINDOW.fullmatch(plain) else ""
