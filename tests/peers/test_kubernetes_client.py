"""kubernetes from PyPI, the client in Python, refreshes an ID token from a kubeconfig."""

from __future__ import annotations

from kubernetes.client import VersionApi
from kubernetes.config import new_client_from_config

from tests.peers.kubeconfig_case import KubeconfigCase


class KubernetesClientTests(KubeconfigCase):
    """It sends the client's credentials in the header and in the form of one request."""

    def test_refreshes_what_is_over_and_keeps_what_it_gets(self) -> None:
        kubeconfig = self.kubeconfig()
        for _ in range(2):
            with new_client_from_config(str(kubeconfig), persist_config=True) as client:
                self.assertEqual("v1.32.0", VersionApi(client).get_code().git_version)
        first, second = self.api.tokens
        self.assertEqual(first, second, "a good ID token is not refreshed")
        self.assert_lets_jane_in(first)
        kept = self.kept_in(kubeconfig)
        self.assertEqual(first, kept["id-token"])
        self.assertNotEqual(self.tokens["refresh_token"], kept["refresh-token"])
