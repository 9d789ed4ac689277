#include "common/net/resolver.h"

#include <map>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>

namespace holdfast::net {
namespace {

constexpr std::chrono::seconds kRemembered{60};

std::vector<SocketAddress> addresses_of(const evutil_addrinfo* list) {
  std::vector<SocketAddress> out;
  for (; list != nullptr; list = list->ai_next) {
    out.emplace_back(list->ai_addr, static_cast<socklen_t>(list->ai_addrlen));
  }
  return out;
}

}  // namespace

struct Resolver::Impl {
  struct Memory {
    base::Mono since;
    std::vector<SocketAddress> addresses;
  };
  struct Question {
    std::weak_ptr<Impl> asker;
    std::string name;  // "host:port"
    Done done;
  };

  explicit Impl(Loop& l) : loop(l) {}
  ~Impl() {
    if (dns != nullptr) evdns_base_free(dns, 1);  // calls back what is open, with an error
  }

  evdns_base* base() {
    if (dns == nullptr) {
      dns = evdns_base_new(loop.raw(), EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
      if (dns == nullptr) dns = evdns_base_new(loop.raw(), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    }
    return dns;
  }

  static void answered(int error, evutil_addrinfo* list, void* data) {
    const std::unique_ptr<Question> question(static_cast<Question*>(data));
    auto addresses = addresses_of(list);
    if (list != nullptr) evutil_freeaddrinfo(list);
    const auto self = question->asker.lock();
    if (!self) return;
    base::Result<std::vector<SocketAddress>> result = std::move(addresses);
    if (error != 0 || result->empty()) {
      result = base::fail(base::Kind::kUnavailable,
                          question->name + ": " + (error != 0 ? evutil_gai_strerror(error) : "no address"));
    } else {
      self->memory[question->name] = {self->loop.now(), *result};
    }
    self->deliver(std::move(question->done), std::move(result));
  }

  void deliver(Done done, base::Result<std::vector<SocketAddress>> result) {
    loop.later([asker = weak, done = std::move(done), result = std::move(result)]() mutable {
      if (asker.lock()) done(std::move(result));
    });
  }

  Loop& loop;
  evdns_base* dns = nullptr;
  std::map<std::string, Memory> memory;
  std::weak_ptr<Impl> weak;
};

Resolver::Resolver(Loop& loop) : impl_(std::make_shared<Impl>(loop)) { impl_->weak = impl_; }

Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, std::uint16_t port, Done done) {
  if (auto literal = SocketAddress::ip(host, port); literal) {
    impl_->deliver(std::move(done), std::vector{*literal});
    return;
  }
  const std::string name = host + ":" + std::to_string(port);
  const auto known = impl_->memory.find(name);
  if (known != impl_->memory.end() && impl_->loop.now() - known->second.since < kRemembered) {
    impl_->deliver(std::move(done), known->second.addresses);
    return;
  }
  evutil_addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = EVUTIL_AI_ADDRCONFIG;
  auto question = std::make_unique<Impl::Question>(impl_, name, std::move(done));
  evdns_getaddrinfo(impl_->base(), host.c_str(), std::to_string(port).c_str(), &hints, &Impl::answered,
                    question.release());
}

}  // namespace holdfast::net
