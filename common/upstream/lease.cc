#include "common/upstream/lease.h"

#include <utility>

#include "common/base/panic.h"
#include "common/upstream/link.h"

namespace holdfast::upstream {

Lease::Lease(std::shared_ptr<Link> link) : link_(std::move(link)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  release();
  link_ = std::move(other.link_);
  return *this;
}

Lease::~Lease() { release(); }

Connection& Lease::connection() {
  base::expect(link_ != nullptr, "an empty lease");
  return link_->connection();
}
void Lease::set_handler(ConnectionHandler& handler) { link_->set_user(handler); }
bool Lease::reused() const { return link_->reused(); }
const ServerName& Lease::server() const { return link_->name(); }
std::string Lease::relay() const { return link_->relay(); }
void Lease::report(bool ok, mail::Stage stage, int code, std::string_view reason) {
  link_->report(ok, stage, code, reason);
}
void Lease::release() {
  if (const auto link = std::exchange(link_, nullptr)) link->release();
}
void Lease::drop() {
  if (const auto link = std::exchange(link_, nullptr)) link->drop();
}

}  // namespace holdfast::upstream
