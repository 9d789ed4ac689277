// What gatewayctl may ask of the prober. Each question gets one answer, when what it asks for is committed.
//
//   dest.probe NAME                      all its servers now; answers with the state when they have been
//   dest.pause NAME [REASON [SECONDS]]   SECONDS: it resumes by itself then
//   dest.resume NAME
//   dest.show NAME, prober.status        states, servers, when probed last
//   filter.bypass WORD SECONDS DOMAIN…   WORD: on, off, auto; SECONDS: auto after these, "": until it is said
//   rcpt.add | rcpt.import ADDRESS…      known, until removed
//   rcpt.deny ADDRESS…                   refused with 550, in every state
//   rcpt.remove ADDRESS…                 whatever is known of them
//   rcpt.flush [DOMAIN]                  all that was learnt
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/ipc/messages.h"
#include "prober/monitor.h"

namespace holdfast::prober {

using Monitors = std::map<std::string, std::unique_ptr<Monitor>, std::less<>>;

class ControlDesk {
 public:
  ControlDesk(Shared& shared, Monitors& monitors) : shared_(shared), monitors_(monitors) {}

  using Answer = std::function<void(const ipc::ControlReply&)>;
  void answer(const ipc::Control& question, Answer answer);

 private:
  void destination(const ipc::Control& question, Answer answer);
  static void force(Monitor& monitor, const ipc::Control& question, std::function<void()> report, const Answer& answer);
  void pause(Monitor& monitor, const ipc::Control& question, std::function<void()> report, const Answer& answer);
  void recipients(const ipc::Control& question, Answer answer);
  void bypass(const ipc::Control& question, Answer answer);
  void status(const Answer& answer) const;

  Shared& shared_;
  Monitors& monitors_;
};

}  // namespace holdfast::prober
