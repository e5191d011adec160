"""Where the bridge's calls arrive: CRM_URL is this server's address and `/inbox`."""
from django.urls import include, path

urlpatterns = [path("inbox/", include("inbox.urls"))]
