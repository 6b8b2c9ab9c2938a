"""Packs the extension for VS Code: a .vsix, which `code --install-extension` takes. Needs nothing but Python.

    python3 Packaging/vsix.py FOLDER

https://code.visualstudio.com/api/working-with-extensions/publishing-extension; the form is that of Open Packaging Conventions.
"""
import json, os, re, sys, time, zipfile
from xml.sax.saxutils import escape

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
source = os.path.join(root, "Editors", "vscode")
with open(os.path.join(source, "package.json"), encoding="utf-8") as file:
    package = json.load(file)
# The extension's version is act's.
with open(os.path.join(root, "Sources", "act", "ActCommand.swift"), encoding="utf-8") as file:
    package["version"] = re.search(r'^let actVersion = "(.*)"', file.read(), flags=re.M)[1]
moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))[:6]
manifest = f"""<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{package["name"]}" Version="{package["version"]}" Publisher="{package["publisher"]}" />
    <DisplayName>{escape(package["displayName"])}</DisplayName>
    <Description xml:space="preserve">{escape(package["description"])}</Description>
    <Categories>{escape(",".join(package["categories"]))}</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="{escape(package["engines"]["vscode"])}" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace" />
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code" /></Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true" />
  </Assets>
</PackageManifest>
"""
types = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension=".json" ContentType="application/json" /><Default Extension=".js" ContentType="application/javascript" /><Default Extension=".md" ContentType="text/markdown" /><Default Extension=".txt" ContentType="text/plain" /><Default Extension=".vsixmanifest" ContentType="text/xml" /></Types>
"""
files = {"extension.vsixmanifest": manifest.encode(), "[Content_Types].xml": types.encode()}
for place, _, names in sorted(os.walk(source)):
    for name in sorted(names):
        path = os.path.join(place, name)
        with open(path, "rb") as file:
            files["extension/" + os.path.relpath(path, source)] = file.read()
files["extension/package.json"] = json.dumps(package, indent=2, ensure_ascii=False).encode()
with open(os.path.join(root, "LICENSE"), "rb") as file:
    files["extension/LICENSE.txt"] = file.read()
os.makedirs(sys.argv[1], exist_ok=True)
path = os.path.join(sys.argv[1], f"act-{package['version']}.vsix")
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, content in files.items():
        archive.writestr(zipfile.ZipInfo(name, moment), content, zipfile.ZIP_DEFLATED)
print(path)
