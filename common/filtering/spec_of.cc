#include "common/filtering/spec_of.h"

#include "common/base/panic.h"
#include "common/config/config.h"

namespace holdfast::filtering {
namespace {

OnFailure on_failure(std::string_view text) {
  if (text == "accept") return OnFailure::kAccept;
  return text == "reject" ? OnFailure::kReject : OnFailure::kTempfail;
}

}  // namespace

FilterSpec spec_of(const config::Filter& filter, const config::Paths& paths) {
  const auto where = config::filter_address(filter.milter, paths);
  base::expect(where.has_value(), "a milter that is nowhere");
  auto address = where->path.empty() ? net::SocketAddress::ip(where->host, where->port) : net::SocketAddress::unix_path(where->path);
  base::expect(address.has_value(), "a milter without an address");
  return {.name = filter.name,
          .address = *address,
          .on_failure = on_failure(filter.on_failure),
          .connect = filter.connect,
          .command = filter.command,
          .content = filter.content};
}

}  // namespace holdfast::filtering
