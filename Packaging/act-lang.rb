# Homebrew's formula of act. `make formula URL=…` fills in where the source lies and what it hashes to.
class ActLang < Formula
  desc "Array language for activation functions and neural-network layers"
  homepage "@HOMEPAGE@"
  url "@URL@"
  version "@VERSION@"
  sha256 "@SHA256@"
  license "MIT"

  depends_on xcode: ["16.3", :build]
  depends_on "librsvg"
  depends_on macos: :sequoia
  uses_from_macos "libedit"

  def install
    system "swift", "build", "--disable-sandbox", "--configuration", "release", "--product", "act"
    system "Packaging/stage", ".build/release/act", "", prefix
  end

  test do
    assert_equal "[0, 0, 2]", shell_output("#{bin}/act -e 'relu([-1, 0, 2])'").chomp
  end
end
