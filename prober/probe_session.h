// One probe of one address (design.md section 3, Detection): a fresh connection, banner, EHLO, MAIL
// FROM:<>, RCPT postmaster, RSET; then, if the owner wants to know more, a transaction of its own for each
// recipient to ask about; QUIT.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/mail/destination_state.h"
#include "common/mail/reply.h"
#include "common/net/loop.h"
#include "common/upstream/connection.h"
#include "prober/server_health.h"

namespace holdfast::prober {

// A recipient to ask about.
struct Ask {
  enum class Kind { kSuspect, kSample, kLocal, kCatchAll };
  Kind kind = Kind::kSample;
  std::string key;      // in the directory; the domain for kCatchAll
  std::string address;  // as asked
};
struct Asked {
  Ask ask;
  mail::Reply reply;  // code 0: no answer
};

struct Verdict {
  Evidence evidence;
  mail::Capabilities capabilities;  // when EHLO was answered
  bool greeted = false;             // EHLO was answered
  bool postmaster_accepted = false;
};

struct ProbeSpec {
  std::string helo;
  std::string token;       // of this installation: a server that shows it is ourselves
  std::string postmaster;  // "postmaster@example.org"
  std::string server;      // its name
  std::shared_ptr<const upstream::Security> security{};  // as deliveries have it
  upstream::Manner manner{};                             // the same; the client is ourselves
  base::Millis connect{5'000};
  base::Millis within{20'000};  // from the start to the verdict
};

class ProbeSession : private upstream::ConnectionHandler {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // At most once, and not at all when we failed by our own fault. What it returns is asked about in
    // this session; nothing after a failure. The session must not be destroyed in here.
    virtual std::vector<Ask> on_verdict(const std::string& address, const Verdict& verdict) = 0;
    // Last, once: every ask with its answer. The session may be destroyed in here.
    virtual void on_finished(const std::string& address, const std::vector<Asked>& answers) = 0;
  };

  ProbeSession(net::Loop& loop, const net::SocketAddress& to, ProbeSpec spec, Owner& owner);
  ~ProbeSession() override;

 private:
  void on_ready() override;
  void on_mail(const mail::Reply& reply) override;
  void on_rcpt(const mail::Reply& reply) override;
  void on_reset(const mail::Reply& reply) override;
  void on_failed(const upstream::Failure& failure) override;

  void give_verdict(Verdict verdict);
  void fail(mail::Stage stage, std::string reason, bool certain = false);
  void ask_next();
  void answered(const mail::Reply& reply);
  void finish();
  bool is_ourselves() const;

  const std::string address_;
  const ProbeSpec spec_;
  Owner& owner_;
  bool judged_ = false, mail_refused_ = false;
  Verdict verdict_;
  std::vector<Ask> asks_;
  std::vector<Asked> answers_;
  net::Timer deadline_;
  upstream::Connection connection_;
};

}  // namespace holdfast::prober
