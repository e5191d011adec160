import { describe, expect, test } from "vitest";
import type { SyncJob } from "../../bridge/state/bridge-state.ts";
import { startOfPass } from "../../bridge/sync/checkpoint.ts";
import {
  ALL_PARTS,
  becameDue,
  began,
  failedTry,
  interrupted,
  placeRequest,
  retried,
  succeeded,
  timedOut,
} from "../../bridge/sync/sync-job.ts";
import { T0, T0_SECONDS } from "../support/builders.ts";

let counter = 0;
const ask = (
  jobs: SyncJob[],
  { sessionId = "s1", reason = "manual", parts = ALL_PARTS, now = T0 } = {},
): { jobs: SyncJob[]; job: SyncJob } =>
  placeRequest(jobs, { sessionId, reason, parts }, { jobId: `job_${++counter}`, now });

const aJob = (): SyncJob => ask([]).job;
const failure = { error: "no answer", isHopeless: false, retryAfterSeconds: null, cause: null };
const place = startOfPass(ALL_PARTS, T0_SECONDS, null);

describe("requests", () => {
  test("of one session merge into the job that waits for its turn, which names all reasons", () => {
    const first = ask([], { reason: "connected" });
    const second = ask(first.jobs, { reason: "hourly" });
    expect(second.jobs).toHaveLength(1);
    expect(second.job).toMatchObject({ jobId: first.job.jobId, reasons: ["connected", "hourly"] });
  });

  test("of two sessions are two jobs", () => {
    const first = ask([]);
    expect(ask(first.jobs, { sessionId: "s2" }).jobs).toHaveLength(2);
  });

  test("join a running job that brings what they ask for", () => {
    const running = began(aJob(), T0);
    const { jobs, job } = ask([running], { reason: "hourly" });
    expect(jobs).toHaveLength(1);
    expect(job).toMatchObject({ status: "running", reasons: ["manual", "hourly"] });
  });

  test.each(["gap", "history", "reset", "full"])(
    "for a %s wait behind a running job: it may have gone by",
    (reason) => {
      const running = began(aJob(), T0);
      const first = ask([running], { reason });
      expect(first.jobs.map(({ status }) => status)).toEqual(["running", "queued"]);
      expect(ask(first.jobs, { reason }).jobs).toHaveLength(2);
    },
  );

  test("for parts that the running job leaves out wait behind it, and widen the one that waits", () => {
    const contacts = { contacts: true, chats: false, messages: false };
    const chats = { contacts: false, chats: true, messages: false };
    const running = began(ask([], { parts: contacts }).job, T0);
    const first = ask([running], { parts: chats });
    expect(first.job).toMatchObject({ status: "queued", parts: chats });
    expect(ask(first.jobs).job).toMatchObject({ jobId: first.job.jobId, parts: ALL_PARTS });
  });

  test("of a person, or of a new connection, cut the wait after a failed try short; others do not", () => {
    const waiting = failedTry(began(aJob(), T0), failure, T0);
    expect(ask([waiting], { reason: "hourly" }).job.status).toBe("waiting");
    expect(ask([waiting], { reason: "manual" }).job).toMatchObject({ status: "queued", nextTryAt: null });
    expect(ask([waiting], { reason: "connected" }).job.status).toBe("queued");
    expect(ask([waiting], { reason: "full" }).job.status).toBe("queued");
  });

  test("go on from the place of the session's last job, when that one did not come to its end", () => {
    const incomplete = timedOut({ ...began(aJob(), T0), checkpoint: place }, "timed_out", T0);
    expect(ask([incomplete]).job.checkpoint).toEqual(place);
    for (const reason of ["reset", "full"]) expect(ask([incomplete], { reason }).job.checkpoint).toBeNull();
    const others = { contacts: true, chats: false, messages: false };
    expect(ask([incomplete], { parts: others }).job.checkpoint).toBeNull();
    const nextWeek = new Date(T0.getTime() + 7 * 24 * 3_600_000);
    expect(ask([incomplete], { now: nextWeek }).job.checkpoint).toBeNull();
  });

  test("keep the last 50 finished jobs of a session", () => {
    let jobs: SyncJob[] = [];
    for (let n = 0; n < 60; n += 1) {
      jobs = ask(jobs).jobs;
      jobs = jobs.map((job) => (job.status === "queued" ? succeeded(began(job, T0), T0) : job));
    }
    const { jobs: kept } = ask(jobs);
    expect(kept.filter(({ status }) => status === "completed")).toHaveLength(50);
    expect(kept.at(-1)?.status).toBe("queued");
  });

  test("keep of each session its last job and the last that came to its end, however many sessions there are", () => {
    const done = (jobs: SyncJob[], sessionId: string, isWell: boolean): SyncJob[] =>
      ask(jobs, { sessionId }).jobs.map((job) => {
        if (job.status !== "queued") return job;
        const running = { ...began(job, T0), attempts: 3 };
        return isWell ? succeeded(running, T0) : failedTry(running, failure, T0);
      });
    let jobs: SyncJob[] = [];
    for (const isWell of [true, false]) for (let n = 0; n < 250; n += 1) jobs = done(jobs, `s${n}`, isWell);
    for (const status of ["completed", "failed"])
      expect(
        new Set(jobs.filter((job) => job.status === status).map(({ sessionId }) => sessionId)).size,
      ).toBe(250);
  });
});

describe("a failed try", () => {
  test("is repeated after 10 s and after 60 s; the third one is the last and its reason is kept", () => {
    const first = failedTry(began(aJob(), T0), failure, T0);
    expect(first).toMatchObject({ status: "waiting", nextTryAt: "2026-01-31T10:00:10.000Z" });
    const second = failedTry(began(becameDue(first), T0), failure, T0);
    expect(second).toMatchObject({ status: "waiting", nextTryAt: "2026-01-31T10:01:00.000Z" });
    const third = failedTry(began(becameDue(second), T0), failure, T0);
    expect(third).toMatchObject({ status: "failed", attempts: 3, error: "no answer" });
    expect(retried(third)).toMatchObject({ status: "queued", attempts: 0, error: null });
  });

  test("waits as long as the other side asks for, an hour at most", () => {
    const waitOf = (retryAfterSeconds: number): number => {
      const { nextTryAt } = failedTry(began(aJob(), T0), { ...failure, retryAfterSeconds }, T0);
      return (Date.parse(nextTryAt ?? "") - T0.getTime()) / 1000;
    };
    expect([waitOf(1), waitOf(120), waitOf(1e9)]).toEqual([10, 120, 3600]);
  });

  test("that nothing can help is final at once", () => {
    expect(failedTry(began(aJob(), T0), { ...failure, isHopeless: true }, T0).status).toBe("failed");
  });
});

test("a process that died costs its job no try", () => {
  const running = { ...began(aJob(), T0), checkpoint: place };
  expect(interrupted(running)).toMatchObject({ status: "queued", attempts: 0, checkpoint: place });
});

test("a finished job moves no more", () => {
  const done = succeeded(began(aJob(), T0), T0);
  expect(
    [began(done, T0), timedOut(done, "timed_out", T0), retried(done)].map(({ status }) => status),
  ).toEqual(["completed", "completed", "completed"]);
});
