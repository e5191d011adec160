"""The least a Django project needs to take what the bridge sends. Your own project has its settings already: of these it
needs `inbox.apps.InboxConfig` among its apps, the two INBOX settings and the upload limit."""
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only for trying it out")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")

INSTALLED_APPS = ["inbox.apps.InboxConfig"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "crm.urls"
# The bridge calls addresses without a slash at the end; a redirect would lose the body.
APPEND_SLASH = False

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJANGO_DB", str(BASE_DIR / "crm.sqlite3")),
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

# A hundred messages of 65,000 characters are one batch; Django's own limit is 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024

# The same as CRM_SECRET and CRM_AUTH of the bridge. Without a secret nothing is accepted.
INBOX_SECRET = os.environ.get("INBOX_SECRET", "")
INBOX_AUTH = os.environ.get("INBOX_AUTH", "")
