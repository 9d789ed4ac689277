// The PROXY protocol: what a balancer says first. Nobody's bytes behind the header count for it, and less than all of it
// is never taken.
#include "common/base/panic.h"
#include "common/net/proxy_header.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using net::ProxyHeader;
using Status = ProxyHeader::Status;

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.status == b.status && a.length == b.length && a.fault == b.fault && a.client == b.client && a.server == b.server;
}

// Each longer beginning of the bytes: incomplete, until it is one thing for good.
void check_beginnings(std::string_view bytes, const ProxyHeader& whole) {
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const auto part = net::parse_proxy_header(bytes.substr(0, n));
    if (part.status == Status::kIncomplete) {
      expect(n < net::kMaxProxyHeader, "a header without end");
      continue;
    }
    expect(part.status == whole.status, "a header becomes another by what follows");
    if (part.status == Status::kBad) return expect(!part.fault.empty(), "bad, and no word why");
    expect(same(part, whole) && n == part.length, "a header that is complete too early or too late");
    return;
  }
  expect(whole.status == Status::kIncomplete, "a header out of nothing");
}

void check_again(const ProxyHeader& header) {
  expect(header.client.has_value() == header.server.has_value(), "half of the addresses");
  if (!header.client) return;
  expect(header.client->family() == header.server->family(), "addresses of two families");
  const std::string wire = net::proxy_v2_header(*header.client, *header.server);
  const auto again = net::parse_proxy_header(wire + "EHLO");
  expect(again.status == Status::kComplete && again.length == wire.size(), "our own header is none");
  expect(again.client == header.client && again.server == header.server, "our own header tells other addresses");
  const auto address = net::SocketAddress::ip(header.client->host(), header.client->port());
  expect(address && *address == *header.client, "an address that cannot be told");
}

// Version 1 by its words: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 25".
void check_words(std::string_view line, const ProxyHeader& header) {
  if (!header.client) return expect(line.starts_with("PROXY UNKNOWN"), "addresses are lost");
  const std::string ports = " " + std::to_string(header.client->port()) + " " + std::to_string(header.server->port()) + "\r\n";
  expect(line.ends_with(ports), "other ports than were told");
  expect(line.starts_with(header.client->family() == AF_INET ? "PROXY TCP4 " : "PROXY TCP6 "), "another family than was told");
}

void run(std::string_view bytes) {
  const auto whole = net::parse_proxy_header(bytes);
  check_beginnings(bytes, whole);
  if (whole.status != Status::kComplete) return;
  expect(whole.length <= bytes.size() && whole.length <= net::kMaxProxyHeader, "a header longer than what came");
  const auto wire = bytes.substr(0, whole.length);
  if (wire.starts_with("PROXY")) {
    expect(wire.size() <= 107 && wire.ends_with("\r\n"), "a line that is none");
    check_words(wire, whole);
  }
  check_again(whole);
}

[[maybe_unused]] const bool kRegistered = add({"proxy_header", &run});

}  // namespace
}  // namespace holdfast::fuzz
