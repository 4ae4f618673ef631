class UdpChat < Formula
  desc "Talk from terminal to terminal, directly and in private, over UDP"
  homepage "@repository@"
  version "@version@"
  license "MIT"

  on_macos do
    on_arm do
      url "@url@/udp-chat-@version@-aarch64-apple-darwin.tar.gz"
      sha256 "@sha256:aarch64-apple-darwin@"
    end
    on_intel do
      url "@url@/udp-chat-@version@-x86_64-apple-darwin.tar.gz"
      sha256 "@sha256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@url@/udp-chat-@version@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@sha256:aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "@url@/udp-chat-@version@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@sha256:x86_64-unknown-linux-gnu@"
    end
  end

  def install
    bin.install "udp-chat"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/udp-chat.bash" => "udp-chat"
    zsh_completion.install "completions/_udp_chat"
    fish_completion.install "completions/udp-chat.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/udp-chat --version")
  end
end
