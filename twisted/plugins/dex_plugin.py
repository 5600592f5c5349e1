"""Makes `twistd dex` known. The service's module is named, not imported: --reactor must come first."""

from twisted.application.service import ServiceMaker

dex = ServiceMaker("dex", "dextwist.service", "an OpenID Connect provider that federates", "dex")
