// compare.mjs: reads what worlds.c writes, says each organization in Cedar's
// language, asks Cedar every question, and tells where it differs: in the
// answer; in the binding, which must be among Cedar's determining policies;
// in the reason of a refusal, which must be the forbid policies that hold.
// TAP on standard output.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
const cedar = createRequire(import.meta.url)(
  '@cedar-policy/cedar-wasm/nodejs');

const ORG = { type: 'Org', id: 'o' };
let perms = [], byName = new Map(), world = null, things = [];
const seen = { allow: 0, deny: 0 }, rules = {};
const wrong = [];

const q = JSON.stringify;
const set = (list) => '[' + list.map((x) => q(x)).join(', ') + ']';
const action = (name) => `Action::${q(name)}`;

// ---- policies ----

const FORBID = {
  disabled: 'forbid(principal, action, resource) unless { principal.acts };',
  restricted: `forbid(principal, action, resource)
    when { context.restricted } unless { context.member };`,
  token_expired: `forbid(principal, action, resource)
    when { context has token } unless { context.token.live };`,
  token_scope: `forbid(principal, action, resource)
    when { context has token }
    unless { context.token.scopes.contains(context.permission) };`,
  token_project: `forbid(principal, action, resource)
    when { context has token && context.token.limited }
    unless { context.token.projects.contains(context.project) };`,
};

function selects(g) {
  return [g.services, g.environments, g.labels, g.kinds, g.severities]
    .some((s) => s.length > 0);
}

// The resources of a group, as a condition.
function inGroup(g) {
  if (!g) return 'false';
  const one = [];
  if (g.services.length)
    one.push(`resource.services.containsAny(${set(g.services)})`);
  if (g.environments.length)
    one.push(`resource.environments.containsAny(${set(g.environments)})`);
  if (g.labels.length)
    one.push(`resource.labels.containsAll(${set(g.labels)})`);
  if (g.kinds.length)
    one.push(`resource.kind.containsAny(${set(g.kinds)})`);
  if (g.severities.length)
    one.push(`${set(g.severities)}.contains(resource.severity)`);
  const either = [];
  if (g.ids.length) either.push(`${set(g.ids)}.contains(resource.number)`);
  if (selects(g)) either.push('(' + one.join(' && ') + ')');
  if (!either.length || !g.types.length) return 'false';
  const where = g.project === 0 ? ''
    : ` && resource in Project::"${g.project}"`;
  return `resource is Thing && ${set(g.types)}.contains(resource.type)` +
    `${where} && (${either.join(' || ')})`;
}

function narrow(b, w) {
  if (b.incident >= 0)
    return `resource is Thing && (if resource.type == "alert"
      then resource.incident == ${b.incident}
      else resource.number == ${b.incident})`;
  return b.rgroup >= 0 ? inGroup(w.rgroups[b.rgroup]) : null;
}

// Can it hold anything? Then it also gives what needs no resource.
function holdsAny(b, w) {
  if (b.incident >= 0) return true;
  const g = w.rgroups[b.rgroup];
  return !!g && g.types.length > 0 && (g.ids.length > 0 || selects(g));
}

function permit(b, names, scope, when) {
  const who = b.group ? `principal in Group::"${b.subject}"`
    : `principal == Person::"${b.subject}"`;
  const conditions = [`context.now >= ${b.starts}`];
  if (b.expires !== 0) conditions.push(`context.now < ${b.expires}`);
  if (when) conditions.push('(' + when + ')');
  return `permit(${who}, action in [${names.map(action).join(', ')}],
    resource${scope}) when { ${conditions.join(' && ')} };`;
}

function policiesOf(w) {
  const out = { ...FORBID };
  w.bindings.forEach((b, i) => {
    const has = b.permissions.map((n) => byName.get(n));
    const here = b.project === 0 ? '' : ` in Project::"${b.project}"`;
    const cond = narrow(b, w);
    const free = (p) => p.self || p.name === 'project.view';
    const put = (suffix, list, scope, when) => {
      if (list.length)
        out[`b${i}${suffix}`] = permit(b, list.map((p) => p.name), scope,
          when);
    };
    // what is of the organization is given by its bindings only
    const reach = has.filter((p) => !p.self &&
      (b.project === 0 || !p.org));
    const self = has.filter((p) => p.self);
    if (cond === null) {
      put('', reach, here, null);
      put('self', self, '', null);
      return;
    }
    put('', reach.filter((p) => !free(p)), here, cond);
    if (!holdsAny(b, w)) return;
    put('free', reach.filter(free), here, null);
    put('self', self, '', null);
  });
  return out;
}

// ---- entities ----

const uid = (type, id) => ({ type, id: String(id) });

function thingsOf(w) {
  return w.things.map((t, i) => ({
    uid: uid('Thing', i),
    attrs: { ...t, number: i, project: undefined },
    parents: [uid('Project', t.project)],
  }));
}

function entitiesFor(r) {
  const p = world.people[r.who];
  const list = [{
    uid: uid('Person', r.who),
    attrs: { acts: p.acts },
    parents: p.groups.map((g) => uid('Group', g)),
  }];
  if (r.thing >= 0) list.push(things[r.thing]);
  return list;
}

// What it is asked of: the organization, unless the permission is a
// project's; the thing, when there is one.
function resourceOf(r, perm) {
  if (perm.org || perm.self) return [ORG, 0];
  if (r.thing >= 0) return [uid('Thing', r.thing), r.project];
  return [r.project === 0 ? ORG : uid('Project', r.project), r.project];
}

// ---- comparing ----

// A refusal's rule, and the forbid policies that must then hold.
const REASON = {
  principal_disabled: 'disabled',
  restricted: 'restricted',
  token_expired: 'token_expired',
  token_scope: 'token_scope',
  token_project: 'token_project',
};

function differs(r, answer) {
  if (answer.type !== 'success') return q(answer.errors);
  const { decision, diagnostics } = answer.response;
  if ((decision === 'allow') !== r.allowed) return `Cedar: ${decision}`;
  if (diagnostics.errors.length) return q(diagnostics.errors);
  if (r.allowed)
    return diagnostics.reason.some((x) =>
      x.replace(/[a-z]+$/, '') === `b${r.binding}`) ? null
      : `determining: ${diagnostics.reason}`;
  if (r.rule === 'no_binding')
    return diagnostics.reason.length === 0 ? null
      : `forbidden by ${diagnostics.reason}`;
  return diagnostics.reason.includes(REASON[r.rule]) ? null
    : `forbidden by ${diagnostics.reason}, not ${r.rule}`;
}

function ask(r) {
  const perm = byName.get(r.permission);
  const [resource, project] = resourceOf(r, perm);
  const context = {
    now: world.now, permission: r.permission, project,
    restricted: r.restricted, member: r.member,
  };
  if (r.token) context.token = r.token;
  const answer = cedar.statefulIsAuthorized({
    principal: uid('Person', r.who),
    action: uid('Action', r.permission),
    resource, context,
    preparsedPolicySetId: 'world',
    entities: entitiesFor(r),
  });
  seen[r.allowed ? 'allow' : 'deny']++;
  rules[r.rule] = (rules[r.rule] || 0) + 1;
  const why = differs(r, answer);
  if (why && wrong.length < 20) wrong.push(`${why}: ${q(r)}`);
  else if (why) wrong.push('');
}

function begin(w) {
  world = w;
  things = thingsOf(w).map((t) => JSON.parse(q(t)));
  const r = cedar.preparsePolicySet('world',
    { staticPolicies: policiesOf(w) });
  if (r.type !== 'success') {
    console.log('# ' + q(r));
    process.exit(1);
  }
}

function take(line) {
  const x = JSON.parse(line);
  if (x.line === 'permissions') {
    perms = x.all;
    byName = new Map(perms.map((p) => [p.name, p]));
  } else if (x.line === 'world') begin(x);
  else ask(x);
}

function tell() {
  const total = seen.allow + seen.deny;
  console.log(`# Cedar ${cedar.getCedarSDKVersion()}: ${total} requests, ` +
    `${seen.allow} allowed, ${wrong.length} differ; ${q(rules)}`);
  for (const x of wrong.slice(0, 20)) console.log('# ' + x);
  const enough = seen.allow > total / 50 && Object.keys(rules).length >= 7;
  console.log(`${wrong.length ? 'not ok' : 'ok'} 1 - cedar_agrees`);
  console.log(`${enough ? 'ok' : 'not ok'} 2 - every_rule_was_met`);
  console.log('1..2');
  process.exit(wrong.length || !enough ? 1 : 0);
}

// not `for await`: V8 of Node 20 gives up in it after some 100,000 lines
createInterface({ input: process.stdin }).on('line', take).on('close', tell);
