#include "source/internal/remote_repository.hpp"

#include "base/error.hpp"
#include "source/internal/http_transport.hpp"
#include "source/internal/local_remote.hpp"
#include "source/internal/smart_remote.hpp"
#include "source/internal/ssh_transport.hpp"

namespace venvoy::source {

std::unique_ptr<RemoteRepository> make_remote(RemoteSettings settings) {
  if (settings.url.scheme == UrlScheme::file) return std::make_unique<LocalRemote>(std::move(settings));
  std::unique_ptr<SubTransport> transport;
  if (settings.url.scheme == UrlScheme::ssh)
    transport = std::make_unique<SshTransport>(settings.url, *settings.transport, settings.cancel);
  else
    transport = std::make_unique<HttpTransport>(settings.url, *settings.transport, settings.cancel);
  return std::make_unique<SmartRemote>(std::move(settings), std::move(transport));
}

}  // namespace venvoy::source
