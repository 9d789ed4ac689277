// The checks of `gatewayctl dest test`: does a destination do what a gateway in front of it needs? Each server is asked as delivery would
// ask it, and nothing is delivered: every transaction ends before DATA.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/mail/reply.h"

namespace holdfast::destination {

struct Finding {
  enum class Result {
    kPass,
    kWarn,  // it works, and may surprise
    kFail,
  };
  std::string server;  // "10.0.0.5:25"
  std::string step;    // "banner"
  Result result = Result::kPass;
  std::string text;
};
std::string_view to_text(Finding::Result result);

// What the questions are, and how answers are judged. Pure.
namespace judge {

Finding postmaster(const mail::Reply& reply);
Finding random_recipient(const mail::Reply& reply);
Finding null_sender(const mail::Reply& reply);
Finding relaying(const mail::Reply& reply);
// Of all answers so far: the first that is greylisting, if there is one; an empty reply is none.
Finding greylisting(const mail::Reply& first);
bool is_greylisting(const mail::Reply& reply);
// `addresses` is what the server would have to trust, for the snippet.
Finding foreign_sender(const mail::Reply& reply, std::string_view gateway);

}  // namespace judge

struct DestTest {
  const config::Config& config;
  const config::Destination& destination;
  std::vector<config::HostPort> servers;
  std::string domain;  // one whose mail goes there; empty: there is none, and no recipient is asked
};

// Tells each finding as it comes. Blocks, with the destination's own time-outs. True: nothing has failed.
bool run_dest_test(const DestTest& test, const std::function<void(const Finding&)>& tell);

}  // namespace holdfast::destination
