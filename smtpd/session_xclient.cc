// XCLIENT: a relay that we trust with it says who its client is; from then on that is who we speak with.
#include <charconv>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/net/address.h"
#include "smtpd/reject_log.h"
#include "smtpd/session.h"

namespace holdfast::smtpd {
namespace {

using mail::Reply;

// "": not known any more.
bool told(const std::optional<std::string>& value) { return value && !value->empty(); }

std::uint16_t port_of(const std::optional<std::string>& text) {
  std::uint16_t port = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), port);
  return port;
}

}  // namespace

// The core has it only from those whom it is offered to.
void Session::on(const smtp::event::Xclient& event) {
  const auto& says = *event.attributes;
  std::optional<net::SocketAddress> address;
  if (told(says.addr)) {
    const auto parsed = net::SocketAddress::ip(*says.addr, port_of(says.port));
    if (!parsed) return core_.reply(Reply::make(501, "5.5.4", "ADDR is not an address"));
    address = *parsed;
  }
  finish_transaction();
  forget_filters();
  remember(says, address.has_value());
  if (address) {
    set_client(*address);
    of_proxy_ = false;
  } else if (says.port) {
    client_.port = port_of(says.port);
  }
  name_wait_.reset();
  if (says.name) {
    client_.name = *says.name;
  } else if (address) {
    look_up_name();
  }
  base::log().notice(fmt::format("XCLIENT: the client is {}[{}]", client_.name.empty() ? "unknown" : client_.name, client_.address));
  if (const auto refusal = address ? shared_.limits.enter(ip_, shared_.loop.now(), place_) : std::nullopt) {
    log_reject(client_, {.stage = "XCLIENT", .reply = *refusal, .sender = {}, .recipient = {}});
    return core_.reply(*refusal);
  }
  if (address) shared_.admission.expect(ip_, place_.trusted());
  core_.accept();
  core_.options().strict_pipelining = refuses_haste();
}

// With an address it is about another client, of whom nothing else is known; without, more about the same one.
void Session::remember(const smtp::XclientAttributes& says, bool another) {
  if (another || !told_) {
    told_ = says;
    return;
  }
  if (says.helo) told_->helo = says.helo;
  if (says.proto) told_->proto = says.proto;
}

}  // namespace holdfast::smtpd
