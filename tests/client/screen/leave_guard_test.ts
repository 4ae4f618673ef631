import { assertEquals } from "@std/assert";
import { LEAVE_WINDOW, LeaveGuard } from "../../../client/screen/leave_guard.ts";

Deno.test("LeaveGuard asks for a second key in time", () => {
  const guard = new LeaveGuard();
  assertEquals(guard.isSecond(0), false);
  assertEquals(guard.isSecond(LEAVE_WINDOW), true);
  assertEquals(guard.isSecond(LEAVE_WINDOW + 1), false, "it is asked anew");
  assertEquals(guard.isSecond(2 * LEAVE_WINDOW + 2), false, "too late");
  assertEquals(guard.isSecond(2 * LEAVE_WINDOW + 3), true);
  assertEquals(guard.isSecond(9 * LEAVE_WINDOW), false);
  guard.reset();
  assertEquals(guard.isSecond(9 * LEAVE_WINDOW + 1), false, "something else was done between");
});
