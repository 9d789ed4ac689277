// Transfers by libcurl on our event loop: its sockets and its timer become Watches and a Timer. Nothing else sees
// libcurl. Names are looked up by its own thread. Each transfer ends within kLimit and calls back once, unless the Curl is
// destroyed before.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/net/loop.h"

namespace holdfast::alertd {

struct Submission {
  std::string host;
  int port = 587;
  std::string helo, from, to, content;  // from: empty is the null sender
  std::string user, password;           // empty: no login
  std::string tls;                      // off, may, encrypt, verify
  std::string ca_file;                  // empty: the system's
};

struct Post {
  std::string url, content;
  std::vector<std::string> headers;
  std::string ca_file;
};

// What came of it: the other side's last line, or why there was none.
struct Answer {
  bool ok = false;
  std::string said;
};

class Curl {
 public:
  static constexpr base::Seconds kLimit{60}, kConnectLimit{15};
  using Done = std::function<void(const Answer&)>;

  explicit Curl(net::Loop& loop);
  ~Curl();
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  void submit(const Submission& mail, Done done);
  void post(const Post& post, Done done);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::alertd
