"""The conformance plugin as a repository, for tests that need steps of every kind, and with another version of the SDK."""

from harness import HERE, PROJECT, Repository, git

CONFORMANCE = PROJECT / "tests" / "conformance" / "plugin"
SDK = HERE / "plugins" / "sdk"


class ConformancePlugin(Repository):
    def __init__(self, folder):
        super().__init__(folder, CONFORMANCE)
        self.write(".python_deployer_compat", "")
        self.commit()

    def reference(self):
        return f"conformance-plugin@git+{self.url}@{self.head()}"


class SdkPlugin(Repository):
    """plugins/sdk on one version of the SDK, committed at a date: what it depends on is what there was on that day."""

    def __init__(self, folder, sdk, date, requires=()):
        super().__init__(folder, SDK)
        project = (folder / "pyproject.toml").read_text().replace("@SDK@", sdk)
        more = "".join(f', "{requirement}"' for requirement in requires)
        self.write("pyproject.toml", project.replace(f'=={sdk}"', f'=={sdk}"{more}'))
        git("add", "-A", "-f", folder=folder)
        git("commit", "-q", "-m", "A plugin", folder=folder, date=date)

    def reference(self):
        return f"sdk-plugin@git+{self.url}@{self.head()}"
