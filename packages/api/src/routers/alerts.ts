import {
  AlertIdInput,
  CreateAlertChannelInput,
  CreateAlertRuleInput,
  ListIncidentsInput,
  UpdateAlertChannelInput,
  UpdateAlertRuleInput,
} from "@sluice/core/inputs/alert";
import {
  createAlertChannel,
  deleteAlertChannel,
  listAlertChannels,
  testAlertChannel,
  updateAlertChannel,
} from "@sluice/services/alerts/alert-channels";
import { createAlertRule, deleteAlertRule, listAlertRules, updateAlertRule } from "@sluice/services/alerts/alert-rules";
import { listOpenIncidents, listPastIncidents } from "@sluice/services/alerts/list-incidents";
import { input, procedure, router } from "../trpc.ts";

export const alertsRouter = router({
  open: procedure.meta({ access: "admin" }).query(({ ctx }) => listOpenIncidents(ctx)),
  past: procedure
    .meta({ access: "admin" })
    .input(input(ListIncidentsInput))
    .query(({ ctx, input }) => listPastIncidents(ctx, input)),
  rules: procedure.meta({ access: "admin" }).query(({ ctx }) => listAlertRules(ctx)),
  createRule: procedure
    .meta({ access: "admin" })
    .input(input(CreateAlertRuleInput))
    .mutation(({ ctx, input }) => createAlertRule(ctx, input)),
  updateRule: procedure
    .meta({ access: "admin" })
    .input(input(UpdateAlertRuleInput))
    .mutation(({ ctx, input }) => updateAlertRule(ctx, input)),
  deleteRule: procedure
    .meta({ access: "admin" })
    .input(input(AlertIdInput))
    .mutation(({ ctx, input }) => deleteAlertRule(ctx, input)),
  channels: procedure.meta({ access: "admin" }).query(({ ctx }) => listAlertChannels(ctx)),
  createChannel: procedure
    .meta({ access: "admin" })
    .input(input(CreateAlertChannelInput))
    .mutation(({ ctx, input }) => createAlertChannel(ctx, input)),
  updateChannel: procedure
    .meta({ access: "admin" })
    .input(input(UpdateAlertChannelInput))
    .mutation(({ ctx, input }) => updateAlertChannel(ctx, input)),
  deleteChannel: procedure
    .meta({ access: "admin" })
    .input(input(AlertIdInput))
    .mutation(({ ctx, input }) => deleteAlertChannel(ctx, input)),
  testChannel: procedure
    .meta({ access: "admin" })
    .input(input(AlertIdInput))
    .mutation(({ ctx, input }) => testAlertChannel(ctx, input)),
});
