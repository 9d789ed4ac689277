// The sockets on which mail is taken: bound by master, served by smtpd.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/config/config.h"

namespace holdfast::master {

class Listeners {
 public:
  struct Bound {
    config::HostPort address;
    base::UniqueFd fd;
  };

  // Binds those of `wanted` that are not there yet. An error (kUnavailable, or kPermission) names the address.
  base::Result<std::vector<Bound>> bind_missing(const std::vector<config::HostPort>& wanted) const;
  // Keeps exactly `wanted`, of which `fresh` has the new ones; the others are closed here. True: the set is another one now.
  bool become(const std::vector<config::HostPort>& wanted, std::vector<Bound> fresh);

  std::vector<int> fds() const;
  std::string text() const;  // "127.0.0.1:25, [::1]:25"

 private:
  std::vector<Bound> bound_;
};

}  // namespace holdfast::master
