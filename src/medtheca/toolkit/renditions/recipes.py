"""How each rendition is made. Whoever changes the making raises the number behind the stroke."""

import PIL
import simplejpeg
from PIL import features

THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80
WEB_SIDE = 1024
WEB_QUALITY = 85

_LIBRARIES = f"pillow-{PIL.__version__} littlecms-{features.version('littlecms2')} simplejpeg-{simplejpeg.__version__}"

THUMBNAIL = f"thumbnail-{THUMBNAIL_SIDE}/1 {_LIBRARIES}"
WEB = f"web-{WEB_SIDE}/1 {_LIBRARIES}"
