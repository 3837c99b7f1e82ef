"""Django's settings, made from `environment`. Nothing here reads the environment by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from medtheca.config.environment import Environment, environment
from medtheca.config.keys import former_signing_keys, secret_key, signing_key

ENVIRONMENT: Environment = environment()
if not ENVIRONMENT.data.exists():
    # Private images, mail and keys will lie here: closed to others from its first moment.
    ENVIRONMENT.data.mkdir(mode=0o700, parents=True, exist_ok=True)


def _database() -> dict[str, Any]:
    parts = urlsplit(ENVIRONMENT.database_url or "postgresql:///medtheca")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "medtheca",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A host in the query is how a URL names a socket's folder.
        "HOST": query.get("host", "") or parts.hostname or "",
        "PORT": query.get("port", "") or (str(parts.port) if parts.port else ""),
        "OPTIONS": {
            "pool": {"min_size": 0, "max_size": 12, "timeout": 20, "max_idle": 60},
            "application_name": "medtheca",
            "options": "-c timezone=UTC",
            # What else the address says is for the driver: sslmode=verify-full must not be lost.
            **{name: value for name, value in query.items() if name not in {"host", "port", "test"}},
        },
        # A pooled connection may be to a server that has died since; asking first saves a page that fails.
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": query.get("test", "") or None},
    }


BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = ENVIRONMENT.secret_key or secret_key(ENVIRONMENT.data)
DEBUG = ENVIRONMENT.debug
INSTANCE_NAME = ENVIRONMENT.name
SUPPORT_EMAIL = ENVIRONMENT.support_email
PUBLIC_URL = ENVIRONMENT.address
_https = PUBLIC_URL.startswith("https://")

ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    ENVIRONMENT.host,
    urlsplit(PUBLIC_URL).hostname or "localhost",
    *ENVIRONMENT.allowed_hosts,
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "medtheca.domains.ledger",
    "medtheca.domains.accounts",
    "medtheca.domains.storage",
    "medtheca.domains.trials",
    "medtheca.domains.imaging",
    "medtheca.domains.access",
    "medtheca.domains.provenance",
    "medtheca.domains.metadata",
    "medtheca.domains.search",
    "medtheca.domains.downloads",
    "medtheca.domains.sockets",
    "medtheca.domains.viewing",
    "medtheca.domains.collections",
    "medtheca.domains.archives",
    "medtheca.interfaces.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "oauth2_provider",
    "django_htmx",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "medtheca.interfaces.http.middleware.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "medtheca.interfaces.http.middleware.ContentPolicy",
    "medtheca.interfaces.http.middleware.NothingStored",
    "medtheca.interfaces.http.limits.SayWhenToTryAgain",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "medtheca.interfaces.http.middleware.DemoLoginsStayHere",
    "medtheca.interfaces.http.links.LookByLink",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "medtheca.interfaces.web.accounts.sessions.NoteSession",
    "medtheca.interfaces.web.accounts.gate.AskFirst",
]

ROOT_URLCONF = "medtheca.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "medtheca.interfaces.web.context.instance",
            ],
        },
    },
]

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "medtheca.domains.accounts.hashing.BoundedArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# Whoever finds a browser open must not take the account over: these ask for the password or a factor again.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_FORMS = {
    "login": "medtheca.interfaces.web.accounts.entrance.LoginForm",
    "signup": "medtheca.interfaces.web.accounts.entrance.SignupForm",
    "add_email": "medtheca.interfaces.web.accounts.entrance.AddEmailForm",
    "reset_password": "medtheca.interfaces.web.accounts.entrance.ResetPasswordForm",
    "change_password": "medtheca.interfaces.web.accounts.passwords.ChangePasswordForm",
    "reset_password_from_key": "medtheca.interfaces.web.accounts.passwords.ResetPasswordKeyForm",
}
# Per address (ip), e-mail address (key) or user; limits.SayWhenToTryAgain tells when to try again.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "signup": "20/m/ip,200/h/ip",
    "reset_password": "20/m/ip,3/600s/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/60s/key",
    "reauthenticate": "10/m/user",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{INSTANCE_NAME}: "
ACCOUNT_ADAPTER = "medtheca.interfaces.web.accounts.adapter.AccountAdapter"

MFA_ADAPTER = "medtheca.interfaces.web.accounts.factors.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "medtheca.interfaces.web.accounts.factor_forms.ActivateTOTPForm",
    "add_webauthn": "medtheca.interfaces.web.accounts.factor_forms.AddWebAuthnForm",
    "authenticate": "medtheca.interfaces.web.accounts.factor_forms.AuthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# A clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
STAFF_SECOND_FACTOR = ENVIRONMENT.staff_second_factor

SOCIALACCOUNT_ADAPTER = "medtheca.interfaces.web.accounts.sign_on.SignOnAdapter"
# An account here and one there with the same address become one where the provider says that it has verified it.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": []}}
if ENVIRONMENT.oidc_issuer:
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = [
        {
            "provider_id": "sso",
            "name": ENVIRONMENT.oidc_name,
            "client_id": ENVIRONMENT.oidc_client_id,
            "secret": ENVIRONMENT.oidc_client_secret,
            "settings": {"server_url": ENVIRONMENT.oidc_issuer},
        }
    ]

# Applications that act for people. Views, addresses and the rules of codes and tokens are ours (accounts.authorizing);
# what is set here is what remains of the library's.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "medtheca.domains.accounts.authorizing.Validator",
    "OAUTH2_SERVER_CLASS": "medtheca.domains.accounts.authorizing.Server",
    "PKCE_REQUIRED": True,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86_400,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": f"{PUBLIC_URL}/oauth",
    "OIDC_RSA_PRIVATE_KEY": signing_key(ENVIRONMENT.signing_key, ENVIRONMENT.data),
    "OIDC_RSA_PRIVATE_KEYS_INACTIVE": former_signing_keys(ENVIRONMENT.data),
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
}

TERMS_FILE = ENVIRONMENT.terms
PRIVACY_FILE = ENVIRONMENT.privacy

LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "medtheca.interfaces.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# A browser that was told so asks for https on every port of that name for a year, and lets nobody past a certificate
# that it does not know: no promise to give for this machine's own names, nor with an authority that few have trusted.
_own_authority = ENVIRONMENT.tls and ENVIRONMENT.tls_cert is None
_local = urlsplit(PUBLIC_URL).hostname in {"localhost", "127.0.0.1", "::1"}
SECURE_HSTS_SECONDS = 31_536_000 if _https and not _own_authority and not _local else 0
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "medtheca.interfaces.http.scratch.ScratchUploadHandler",
]

# Counters of log-in attempts and other small shared things; a table, because the database is the one thing all share.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "medtheca_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.data / "static"

_mail = urlsplit(ENVIRONMENT.smtp_url)
if ENVIRONMENT.smtp_url:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and _mail.hostname not in {"localhost", "127.0.0.1"}
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(ENVIRONMENT.data / "mail")
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
# A mail server that does not answer must not keep a worker, or a visitor, for minutes.
EMAIL_TIMEOUT = 20

PROCRASTINATE_IMPORT_PATHS = ["medtheca.interfaces.jobs.tasks"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "medtheca.config.redaction.Redacted",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"medtheca": {"level": "INFO"}},
}
