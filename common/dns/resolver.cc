#include "common/dns/resolver.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unbound.h>

#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::dns {
namespace {

enum class Type : int { kA = 1, kPtr = 12, kMx = 15, kAaaa = 28, kDnskey = 48, kTlsa = 52 };

// An answer as libunbound gives it, its data copied.
struct Raw {
  Status status = Status::kFailed;
  std::vector<std::string> data;
  base::Seconds ttl{0};
  std::string why;
  bool secure = false;
  std::string canonical;
};

// How often name servers are asked whether they pass DNSSEC on, while they do not.
constexpr base::Seconds kTestAgain{60};
constexpr base::Millis kTestPatience{3000};  // questions wait so long for the first answer to that
constexpr int kServfail = 2;  // RFC 1035 section 4.1.1

std::string reason_of(const ub_result& result) {
  if (result.bogus != 0) return fmt::format("DNSSEC: {}", result.why_bogus ? result.why_bogus : "bogus");
  if (result.rcode == kServfail) return "the name servers gave no answer";
  return fmt::format("the name server answered with code {}", result.rcode);
}

Raw read(int error, const ub_result* result) {
  if (error != 0 || result == nullptr) return {.status = Status::kFailed, .why = ub_strerror(error)};
  Raw raw{.ttl = base::Seconds{std::max(result->ttl, 0)}, .secure = result->secure != 0};
  if (result->canonname != nullptr) raw.canonical = ascii_name(result->canonname).value_or("");
  if (result->bogus != 0) {
    raw.why = reason_of(*result);
  } else if (result->havedata != 0) {
    raw.status = Status::kFound;
    for (int i = 0; result->data[i] != nullptr; ++i) raw.data.emplace_back(result->data[i], result->len[i]);
  } else if (result->nxdomain != 0) {
    raw.status = Status::kNoName;
  } else if (result->rcode == 0) {
    raw.status = Status::kNothing;
  } else {
    raw.why = reason_of(*result);
  }
  return raw;
}

// "127.0.0.1@5300": libunbound's way to write it.
std::string forwarder(const net::SocketAddress& server) { return fmt::format("{}@{}", server.host(), server.port()); }

std::vector<std::string> anchors(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : base::split(text, '\n')) {
    line = base::trim(line.substr(0, line.find(';')));
    if (!line.empty()) out.emplace_back(line);
  }
  return out;
}

// One context of libunbound, with or without validation.
struct Engine : std::enable_shared_from_this<Engine> {
  struct Question {
    Question(net::Loop& loop, std::function<void(Raw)> d, std::function<void()> late)
        : done(std::move(d)), limit(loop, std::move(late)) {}
    std::function<void(Raw)> done;  // empty: answered, or too late
    net::Timer limit;
    Engine* asker = nullptr;
    std::uint64_t number = 0;
  };

  Engine(net::Loop& l, ResolverOptions o) : loop(l), options(std::move(o)) { open(); }

  ~Engine() {
    readable.reset();
    if (context != nullptr) ub_ctx_delete(context);
  }

  void set(const char* name, const std::string& value) {
    base::expect(ub_ctx_set_option(context, name, value.c_str()) == 0, "libunbound knows its options");
  }

  void open() {
    context = ub_ctx_create();
    if (context == nullptr) return;
    set("do-not-query-localhost:", "no");
    set("msg-cache-size:", std::to_string(kCacheBytes / 4));
    set("rrset-cache-size:", std::to_string(kCacheBytes / 2));
    set("infra-cache-numhosts:", "100");
    // A name server that was down is asked again soon.
    set("infra-host-ttl:", "30");
    set("infra-keep-probing:", "yes");
    set("num-queries-per-thread:", "512");
    set("unblock-lan-zones:", "yes");  // a network of its own has reverse names, too
    for (const auto& server : options.servers) ub_ctx_set_fwd(context, forwarder(server).c_str());
    // Without the file glibc asks the own host too.
    if (options.servers.empty() && ub_ctx_resolvconf(context, nullptr) != 0) ub_ctx_set_fwd(context, "127.0.0.1");
    for (const auto& anchor : anchors(options.trust_anchors)) {
      if (ub_ctx_add_ta(context, anchor.c_str()) != 0) base::log().error("DNSSEC: this is no trust anchor: " + anchor);
    }
    ub_ctx_async(context, 1);
    // libunbound would answer by itself that nothing under .test exists; in a network of its own it may.
    ub_ctx_zone_remove(context, "test.");
  }

  void ask(const std::string& name, Type type, std::function<void(Raw)> done) {
    const std::uint64_t number = ++last;
    auto made = std::make_unique<Question>(loop, std::move(done), [this, number] { late(number); });
    made->asker = this;
    made->number = number;
    Question& question = *(questions[number] = std::move(made));
    int error = context == nullptr ? UB_NOMEM : 0;
    if (error == 0) {
      error = ub_resolve_async(context, name.c_str(), static_cast<int>(type), 1, &question, &Engine::answered, nullptr);
    }
    if (error == 0) {
      watch();
      question.limit.start(options.timeout);
      return;
    }
    const Raw raw{.status = error == UB_SYNTAX ? Status::kNoName : Status::kFailed, .why = ub_strerror(error)};
    loop.later([weak = weak_from_this(), number, raw] {
      if (const auto self = weak.lock()) self->end(number, raw);
    });
  }

  void watch() {
    if (readable) return;
    readable = std::make_unique<net::Watch>(loop, ub_fd(context), net::Watch::For::kRead, [this] { on_readable(); });
    readable->on();
  }

  void on_readable() {
    const auto self = shared_from_this();
    ub_process(context);
    for (auto& [number, raw] : std::exchange(arrived, {})) end(number, std::move(raw));
  }

  // Called by libunbound, inside ub_process(): what is to be done about it waits until it has returned.
  static void answered(void* data, int error, ub_result* result) {
    const auto& question = *static_cast<Question*>(data);
    question.asker->arrived.emplace_back(question.number, read(error, result));
    ub_resolve_free(result);
  }

  void end(std::uint64_t number, Raw raw) {
    const auto node = questions.extract(number);
    if (!closed && !node.empty() && node.mapped()->done) node.mapped()->done(std::move(raw));
  }

  // libunbound goes on, and its answer is for the cache alone.
  void late(std::uint64_t number) {
    const auto self = shared_from_this();
    const auto at = questions.find(number);
    const auto done = std::exchange(at->second->done, nullptr);
    if (done && !closed) done({.status = Status::kFailed, .why = "no answer in time"});
  }

  net::Loop& loop;
  ResolverOptions options;
  ub_ctx* context = nullptr;
  std::unique_ptr<net::Watch> readable;
  bool closed = false;  // nobody is called any more
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::unique_ptr<Question>> questions;  // libunbound points to them
  std::vector<std::pair<std::uint64_t, Raw>> arrived;
};

}  // namespace

struct Resolver::Impl {
  Impl(net::Loop& l, ResolverOptions o)
      : loop(l), options(std::move(o)), patience(loop, [this] { go_on("no answer yet"); }) {
    const bool validates = !options.trust_anchors.empty();
    if (validates) validating = std::make_shared<Engine>(loop, options);
    proven = validates && options.strict;
    if (!validates) make_plain();
  }

  void make_plain() {
    ResolverOptions without = options;
    without.trust_anchors.clear();
    plain = std::make_shared<Engine>(loop, without);
  }

  void close() {
    for (const auto& engine : {validating, plain}) {
      if (engine) engine->closed = true;
    }
  }

  void ask(const std::string& name, Type type, std::function<void(Raw)> done) {
    if (proven) return validating->ask(name, type, std::move(done));
    if (validating && !testing && loop.now() >= next_test) test();
    if (plain) return plain->ask(name, type, std::move(done));
    held.push_back([this, name, type, done = std::move(done)] { ask(name, type, done); });
  }

  // The root's keys are secure if the name servers pass DNSSEC on. The first questions wait for this.
  void test() {
    testing = true;
    validating->ask(".", Type::kDnskey, [this](const Raw& raw) {
      testing = false;
      proven = raw.status == Status::kFound && raw.secure;
      next_test = loop.now() + kTestAgain;
      if (!proven && !plain) {
        go_on(raw.why.empty() ? "the root's keys are not secure" : raw.why);
      } else {
        ask_held();
      }
    });
    if (!plain) patience.start(kTestPatience);
  }

  // For now, without validation.
  void go_on(const std::string& why) {
    base::log().notice(fmt::format("DNSSEC: the name servers do not pass it on ({}): answers are taken as they come, without DANE", why));
    make_plain();
    ask_held();
  }

  void ask_held() {
    patience.stop();
    for (const auto& question : std::exchange(held, {})) question();
  }

  net::Loop& loop;
  const ResolverOptions options;
  std::shared_ptr<Engine> validating, plain;  // either may be missing
  bool proven = false, testing = false;
  base::Mono next_test{};
  std::vector<std::function<void()>> held;
  net::Timer patience;
};

namespace {

template <class T, class Read>
Answer<T> answer_of(Raw raw, Read read_one) {
  Answer<T> out{.status = raw.status, .found = {}, .ttl = raw.ttl, .why = std::move(raw.why), .secure = raw.secure,
                .canonical = std::move(raw.canonical)};
  for (const auto& data : raw.data) {
    if (auto one = read_one(data)) out.found.push_back(std::move(*one));
  }
  if (out.status == Status::kFound && out.found.empty()) out.status = Status::kNothing;
  return out;
}

Answer<net::SocketAddress> joined(Answer<net::SocketAddress> four, Answer<net::SocketAddress> six) {
  if (four.status != Status::kFound) std::swap(four, six);
  if (four.status == Status::kFound) {
    if (six.status == Status::kFound) {
      four.ttl = std::min(four.ttl, six.ttl);
      four.secure = four.secure && six.secure;
    }
    four.found.insert(four.found.end(), six.found.begin(), six.found.end());
    return four;
  }
  return six.status == Status::kFailed ? six : four;
}

}  // namespace

Resolver::Resolver(net::Loop& loop, ResolverOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}

Resolver::~Resolver() { impl_->close(); }

void Resolver::mx(const std::string& name, Done<Mx> done) {
  impl_->ask(name, Type::kMx, [done = std::move(done)](Raw raw) { done(answer_of<Mx>(std::move(raw), read_mx)); });
}

void Resolver::tlsa(const std::string& name, Done<Tlsa> done) {
  impl_->ask(name, Type::kTlsa, [done = std::move(done)](Raw raw) { done(answer_of<Tlsa>(std::move(raw), read_tlsa)); });
}

void Resolver::names(const base::IpAddress& address, Done<std::string> done) {
  impl_->ask(address.reverse_name(), Type::kPtr,
             [done = std::move(done)](Raw raw) { done(answer_of<std::string>(std::move(raw), read_host)); });
}

void Resolver::ipv4(const std::string& name, Done<std::array<std::uint8_t, 4>> done) {
  const auto read_one = [](std::string_view data) -> std::optional<std::array<std::uint8_t, 4>> {
    std::array<std::uint8_t, 4> out{};
    if (data.size() != out.size()) return std::nullopt;
    std::ranges::transform(data, out.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    return out;
  };
  impl_->ask(name, Type::kA, [done = std::move(done), read_one](Raw raw) {
    done(answer_of<std::array<std::uint8_t, 4>>(std::move(raw), read_one));
  });
}

void Resolver::addresses(const std::string& name, std::uint16_t port, Done<net::SocketAddress> done) {
  struct Both {
    std::optional<Answer<net::SocketAddress>> four, six;
    Done<net::SocketAddress> done;
    void one_came() {
      if (four && six) done(joined(std::move(*four), std::move(*six)));
    }
  };
  const auto both = std::make_shared<Both>();
  both->done = std::move(done);
  const auto read_one = [port](std::string_view data) { return read_address(data, port); };
  impl_->ask(name, Type::kA, [both, read_one](Raw raw) {
    both->four = answer_of<net::SocketAddress>(std::move(raw), read_one);
    both->one_came();
  });
  impl_->ask(name, Type::kAaaa, [both, read_one](Raw raw) {
    both->six = answer_of<net::SocketAddress>(std::move(raw), read_one);
    both->one_came();
  });
}

}  // namespace holdfast::dns
