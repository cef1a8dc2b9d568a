import time

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import path

import script

settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="for tests only", MIDDLEWARE=[])


def generate():
    for wait, data in script.answer():
        time.sleep(wait)
        yield data


def complete(request):
    if script.BUG == "status" and script.hit():
        return JsonResponse({"error": "service unavailable"}, status=503)
    if script.BUG == "redirect":
        return HttpResponseRedirect("/login")
    if script.BUG == "join":
        return HttpResponse(b"".join(generate()), content_type=script.TYPE)
    return StreamingHttpResponse(generate(), content_type=script.TYPE)


urlpatterns = [path("v1/chat/completions", complete), path("stream", complete),
               path("login", lambda r: HttpResponseRedirect("/stream")), path("health", lambda r: JsonResponse({"status": "ok"}))]
application = get_wsgi_application()
